#include "coord/storage/durable_mark.h"

#include "base/checksum.h"
#include "bytes/reader.h"
#include "bytes/writer.h"

namespace tandem::coord::storage {

namespace {

constexpr std::int32_t kMarkMagic = 0x54444D4B;  // "TDMK"
constexpr std::size_t kMarkSize = 24;
constexpr const char* kMarkName = "tandem.durable";

}  // namespace

void DurableMark::open(fs::Disk& disk, const std::string& log_directory) {
  auto file = disk.open(fs::join(log_directory, kMarkName), fs::OpenMode::create);
  if (file) file_ = std::move(*file);
}

void DurableMark::set(const DurablePosition& position) {
  if (file_ == nullptr) return;
  std::string out;
  bytes::Writer writer(out);
  writer.i32(kMarkMagic);
  writer.i64(position.log.value);
  writer.i64(static_cast<std::int64_t>(position.bytes));
  writer.u32(base::crc32c(out));
  if (!file_->pwrite(0, out)) file_.reset();
}

void DurableMark::sync() {
  if (file_ != nullptr && !file_->datasync()) file_.reset();
}

std::optional<DurablePosition> DurableMark::read(fs::Disk& disk, const std::string& log_directory) {
  const auto text = fs::read_file(disk, fs::join(log_directory, kMarkName), kMarkSize);
  if (!text || text->size() != kMarkSize) return std::nullopt;
  bytes::Reader reader(*text);
  if (reader.i32() != kMarkMagic) return std::nullopt;
  DurablePosition position;
  position.log = Zxid(reader.i64());
  position.bytes = reader.u64();
  if (reader.u32() != base::crc32c(std::string_view(*text).substr(0, kMarkSize - 4))) return std::nullopt;
  return position;
}

}  // namespace tandem::coord::storage
