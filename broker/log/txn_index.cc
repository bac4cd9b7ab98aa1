#include "broker/log/txn_index.h"

#include "bytes/reader.h"
#include "bytes/writer.h"

namespace tandem::broker::log {

using base::Errc;
using base::make_error;
using base::Result;
using base::Status;

namespace {

void encode(std::string& out, const AbortedTxn& txn) {
  bytes::Writer writer(out);
  writer.i16(0);
  writer.i64(txn.producer_id);
  writer.i64(txn.first_offset);
  writer.i64(txn.last_offset);
  writer.i64(txn.last_stable_offset);
}

}  // namespace

Status append_aborted(fs::Disk& disk, const std::string& path, const AbortedTxn& txn) {
  const auto file = disk.open(path, fs::OpenMode::create);
  if (!file) return file.error();
  std::string entry;
  encode(entry, txn);
  return (*file)->append(entry);
}

Result<std::vector<AbortedTxn>> read_aborted(fs::Disk& disk, const std::string& path) {
  std::vector<AbortedTxn> out;
  const auto contents = fs::read_file(disk, path);
  if (!contents) {
    if (contents.error().code == Errc::not_found) return out;
    return contents.error();
  }
  if (contents->size() % kAbortedTxnSize != 0)
    return make_error(Errc::corrupt, "{} has {} bytes, not a multiple of {}", path, contents->size(),
                      kAbortedTxnSize);
  bytes::Reader reader(*contents);
  while (reader.remaining() > 0) {
    if (const auto version = reader.i16(); version != 0)
      return make_error(Errc::corrupt, "{} has an entry of version {}", path, version);
    AbortedTxn txn;
    txn.producer_id = reader.i64();
    txn.first_offset = reader.i64();
    txn.last_offset = reader.i64();
    txn.last_stable_offset = reader.i64();
    if (!out.empty() && txn.last_offset <= out.back().last_offset)
      return make_error(Errc::corrupt, "{} is not sorted at last offset {}", path, txn.last_offset);
    out.push_back(txn);
  }
  return out;
}

Status write_aborted(fs::Disk& disk, const std::string& path, const std::vector<AbortedTxn>& entries) {
  if (entries.empty()) {
    const auto status = disk.unlink(path);
    return !status && status.error().code != Errc::not_found ? status : Status{};
  }
  std::string contents;
  for (const AbortedTxn& txn : entries) encode(contents, txn);
  const auto file = disk.open(path, fs::OpenMode::create);
  if (!file) return file.error();
  if (auto status = (*file)->truncate(0); !status) return status;
  return (*file)->append(contents);
}

}  // namespace tandem::broker::log
