#include "coord/storage/durable_mark.h"

#include <algorithm>

#include "base/checksum.h"
#include "bytes/reader.h"
#include "bytes/writer.h"

namespace tandem::coord::storage {

using base::Errc;
using base::Status;

namespace {

constexpr std::int32_t kMarkMagic = 0x54444D4B;  // "TDMK"
constexpr std::size_t kCurrentSize = 24;
constexpr std::size_t kEarlierSize = 20;
constexpr std::size_t kEarlierMax = 24;  // all fit in one sector
constexpr std::size_t kMarkSize = kCurrentSize + kEarlierMax * kEarlierSize;
constexpr const char* kMarkName = "tandem.durable";

void encode_current(std::string& out, const DurablePosition& position) {
  bytes::Writer writer(out);
  writer.i32(kMarkMagic);
  writer.i64(position.log.value);
  writer.i64(static_cast<std::int64_t>(position.bytes));
  writer.u32(base::crc32c(out));
}

void encode_earlier(std::string& out, const DurablePosition& position) {
  const std::size_t start = out.size();
  bytes::Writer writer(out);
  writer.i64(position.log.value);
  writer.i64(static_cast<std::int64_t>(position.bytes));
  writer.u32(base::crc32c(std::string_view(out).substr(start)));
}

}  // namespace

Status DurableMark::begin(fs::Disk& disk, const std::string& log_directory, Zxid log, bool sync) {
  std::vector<DurablePosition> positions = read(disk, log_directory);
  std::erase_if(positions, [log](const DurablePosition& position) { return position.log >= log; });
  positions.push_back({log, 0});
  return write(disk, log_directory, positions, sync);
}

Status DurableMark::write(fs::Disk& disk, const std::string& log_directory,
                          const std::vector<DurablePosition>& positions, bool sync) {
  const std::string path = fs::join(log_directory, kMarkName);
  const bool is_new = !fs::exists(disk, path);
  auto file = disk.open(path, fs::OpenMode::create);
  if (!file) return file.error();
  std::string out;
  encode_current(out, positions.back());
  const std::size_t earlier = std::min(positions.size() - 1, kEarlierMax);
  for (auto at = positions.end() - 1 - static_cast<std::ptrdiff_t>(earlier); at != positions.end() - 1; ++at)
    encode_earlier(out, *at);
  out.resize(kMarkSize);
  if (auto status = (*file)->pwrite(0, out); !status) return status;
  file_ = std::move(*file);
  if (!sync) return {};
  if (auto status = file_->datasync(); !status) return status;
  return is_new ? disk.sync_dir(log_directory) : Status();
}

void DurableMark::set(const DurablePosition& position) {
  if (file_ == nullptr) return;
  std::string out;
  encode_current(out, position);
  if (!file_->pwrite(0, out)) file_.reset();
}

void DurableMark::sync() {
  if (file_ != nullptr && !file_->datasync()) file_.reset();
}

Status DurableMark::disown(fs::Disk& disk, const std::string& log_directory, Zxid first) {
  std::vector<DurablePosition> positions = read(disk, log_directory);
  if (positions.empty() || positions.back().log < first) return {};
  for (DurablePosition& position : positions) {
    if (position.log >= first) position.bytes = 0;
  }
  return DurableMark().write(disk, log_directory, positions, true);
}

void DurableMark::remember(fs::Disk& disk, const std::string& log_directory,
                           const std::vector<DurablePosition>& positions) {
  if (positions.empty()) return;
  const std::vector<DurablePosition> known = read(disk, log_directory);
  std::vector<DurablePosition> all = known;
  const Zxid first = positions.front().log;
  std::erase_if(all, [first](const DurablePosition& position) { return position.log >= first; });
  all.insert(all.end(), positions.begin(), positions.end());
  if (all != known) static_cast<void>(DurableMark().write(disk, log_directory, all, true));
}

std::vector<DurablePosition> DurableMark::read(fs::Disk& disk, const std::string& log_directory) {
  std::vector<DurablePosition> positions;
  const auto text = fs::read_file(disk, fs::join(log_directory, kMarkName), kMarkSize);
  if (!text || text->size() < kCurrentSize) return positions;
  for (std::size_t at = kCurrentSize; at + kEarlierSize <= text->size(); at += kEarlierSize) {
    bytes::Reader reader(std::string_view(*text).substr(at));
    const DurablePosition position{Zxid(reader.i64()), reader.u64()};
    if (reader.u32() == base::crc32c(std::string_view(*text).substr(at, kEarlierSize - 4)))
      positions.push_back(position);
  }
  bytes::Reader reader(*text);
  const bool ours = reader.i32() == kMarkMagic;
  const DurablePosition position{Zxid(reader.i64()), reader.u64()};
  if (ours && reader.u32() == base::crc32c(std::string_view(*text).substr(0, kCurrentSize - 4)))
    positions.push_back(position);
  return positions;
}

}  // namespace tandem::coord::storage
