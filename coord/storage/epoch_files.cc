#include "coord/storage/epoch_files.h"

#include <fmt/format.h>

#include <charconv>

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

Status write(fs::Disk& disk, const std::string& directory, const char* name, std::int64_t epoch) {
  return fs::write_checkpoint(disk, fs::join(directory, name), std::to_string(epoch));
}

}  // namespace

Status write_accepted_epoch(fs::Disk& disk, const std::string& directory, std::int64_t epoch) {
  return write(disk, directory, kAccepted, epoch);
}

Status write_current_epoch(fs::Disk& disk, const std::string& directory, std::int64_t epoch) {
  return write(disk, directory, kCurrent, epoch);
}

Result<Epochs> load_epochs(fs::Disk& disk, const std::string& directory, Zxid last_zxid) {
  const std::int64_t of_zxid = records::epoch_of(last_zxid);
  Epochs epochs;
  const auto current = read(disk, fs::join(directory, kCurrent));
  if (!current) return current.error();
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
  epochs.accepted = accepted->value_or(std::max(of_zxid, epochs.current));
  if (epochs.accepted < epochs.current)
    return base::make_error(Errc::corrupt, "acceptedEpoch {} is less than currentEpoch {} in {}",
                            epochs.accepted, epochs.current, directory);
  if (of_zxid > epochs.accepted)
    return base::make_error(Errc::corrupt,
                            "acceptedEpoch in {} is {}, older than that of the last transaction, 0x{:x}",
                            directory, epochs.accepted, static_cast<std::uint64_t>(last_zxid.value));
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
