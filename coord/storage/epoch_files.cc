#include "coord/storage/epoch_files.h"

#include <fmt/format.h>

#include <charconv>

#include "base/checksum.h"
#include "bytes/reader.h"
#include "bytes/writer.h"
#include "coord/records/txn_batch.h"
#include "fs/checkpoint.h"

namespace tandem::coord::storage {

using base::Errc;
using base::Result;
using base::Status;

namespace {

constexpr const char* kCurrent = "currentEpoch";
constexpr const char* kAccepted = "acceptedEpoch";
constexpr const char* kCurrentTemporary = "currentEpoch.tmp";
constexpr std::uint64_t kTextMax = 64;
constexpr const char* kProof = "tandem.epochs";
constexpr std::int32_t kProofMagic = 0x54444550;  // "TDEP"
constexpr std::size_t kProofSize = 40;

// A number that was written here, and when the file with it was.
struct Written {
  std::int64_t epoch = -1;
  std::int64_t modified_ms = -1;
};
struct Proof {
  Written accepted;
  Written current;
};

Result<std::int64_t> parse(const std::string& path, std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
    text.remove_suffix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty() || value < 0)
    return base::make_error(
        Errc::corrupt,
        "{} holds no epoch number; take this server's data directory away and let it fetch "
        "everything from the others, or restore the file from a copy",
        path);
  return value;
}

Result<std::optional<std::int64_t>> read(fs::Disk& disk, const std::string& path) {
  const auto text = fs::read_file(disk, path, kTextMax);
  if (!text && text.error().code == Errc::not_found) return std::optional<std::int64_t>();
  if (!text) return text.error();
  const auto value = parse(path, *text);
  if (!value) return value.error();
  return std::optional<std::int64_t>(*value);
}

// Nothing proved when it is missing or damaged.
Proof read_proof(fs::Disk& disk, const std::string& directory) {
  const auto text = fs::read_file(disk, fs::join(directory, kProof), kProofSize);
  if (!text || text->size() != kProofSize) return {};
  bytes::Reader reader(*text);
  if (reader.i32() != kProofMagic) return {};
  Proof proof;
  for (Written* each : {&proof.accepted, &proof.current}) {
    each->epoch = reader.i64();
    each->modified_ms = reader.i64();
  }
  if (reader.u32() != base::crc32c(std::string_view(*text).substr(0, kProofSize - 4))) return {};
  return proof;
}

// Best effort: it is evidence, not data.
void write_proof(fs::Disk& disk, const std::string& directory, const Proof& proof) {
  std::string out;
  bytes::Writer writer(out);
  writer.i32(kProofMagic);
  for (const Written* each : {&proof.accepted, &proof.current}) {
    writer.i64(each->epoch);
    writer.i64(each->modified_ms);
  }
  writer.u32(base::crc32c(out));
  auto file = disk.open(fs::join(directory, kProof), fs::OpenMode::create);
  if (file && (*file)->pwrite(0, out)) static_cast<void>((*file)->datasync());
}

Status write(fs::Disk& disk, const std::string& directory, const char* name, std::int64_t epoch,
             Written Proof::*number) {
  const std::string path = fs::join(directory, name);
  if (auto status = fs::write_checkpoint(disk, path, std::to_string(epoch)); !status) return status;
  const auto info = disk.info(path);
  if (!info) return info.error();
  Proof proof = read_proof(disk, directory);
  proof.*number = {epoch, info->modified_ms};
  write_proof(disk, directory, proof);
  return {};
}

Status check_rot(fs::Disk& disk, const std::string& path, std::optional<std::int64_t> epoch,
                 const Written& written) {
  if (!epoch || written.epoch < 0 || *epoch == written.epoch) return {};
  const auto info = disk.info(path);
  if (!info) return info.error();
  if (info->modified_ms <= 0 || info->modified_ms != written.modified_ms) return {};
  return base::make_error(Errc::corrupt, "{} holds {}, but {} was written to it", path, *epoch,
                          written.epoch);
}

}  // namespace

std::vector<std::string> epoch_file_names() { return {kAccepted, kCurrent}; }

Status write_accepted_epoch(fs::Disk& disk, const std::string& directory, std::int64_t epoch) {
  return write(disk, directory, kAccepted, epoch, &Proof::accepted);
}

Status write_current_epoch(fs::Disk& disk, const std::string& directory, std::int64_t epoch) {
  return write(disk, directory, kCurrent, epoch, &Proof::current);
}

Result<Epochs> load_epochs(fs::Disk& disk, const std::string& directory, Zxid last_zxid) {
  const std::int64_t of_zxid = records::epoch_of(last_zxid);
  Epochs epochs;
  const Proof proof = read_proof(disk, directory);
  const auto current = read(disk, fs::join(directory, kCurrent));
  if (!current) return current.error();
  if (auto status = check_rot(disk, fs::join(directory, kCurrent), *current, proof.current); !status)
    return status.error();
  epochs.current = current->value_or(of_zxid);
  bool write_current = !*current;
  if (of_zxid > epochs.current) {
    const auto unfinished = read(disk, fs::join(directory, kCurrentTemporary));
    if (unfinished && *unfinished && **unfinished >= of_zxid) {
      epochs.current = **unfinished;
      write_current = true;
    }
  }
  const auto accepted = read(disk, fs::join(directory, kAccepted));
  if (!accepted) return accepted.error();
  if (auto status = check_rot(disk, fs::join(directory, kAccepted), *accepted, proof.accepted); !status)
    return status.error();
  epochs.accepted = accepted->value_or(std::max(of_zxid, epochs.current));
  if (epochs.accepted < epochs.current)
    return base::make_error(Errc::corrupt, "acceptedEpoch {} is less than currentEpoch {} in {}",
                            epochs.accepted, epochs.current, directory);
  if (of_zxid > epochs.accepted)
    return base::make_error(Errc::corrupt,
                            "acceptedEpoch in {} is {}, older than that of the last transaction, 0x{:x}",
                            directory, epochs.accepted, bits(last_zxid));
  if (of_zxid > epochs.current)
    epochs.warnings.push_back(fmt::format(
        "currentEpoch is {}, that of the last transaction {}: the server stopped while it was synchronized",
        epochs.current, of_zxid));
  if (write_current) {
    if (auto status = write_current_epoch(disk, directory, epochs.current); !status) return status.error();
  }
  if (!*accepted) {
    if (auto status = write_accepted_epoch(disk, directory, epochs.accepted); !status) return status.error();
  }
  return epochs;
}

}  // namespace tandem::coord::storage
