#include "coord/storage/files.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "bytes/writer.h"

namespace tandem::coord::storage {

using base::Result;
using base::Status;

namespace {

constexpr std::string_view kLogPrefix = "log.";
constexpr std::string_view kSnapshotPrefix = "snapshot.";

std::optional<Zxid> parse_zxid(std::string_view hex) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), value, 16);
  if (error != std::errc() || end != hex.data() + hex.size() || hex.empty()) return std::nullopt;
  return Zxid(static_cast<std::int64_t>(value));
}

template <class Parse>
Result<std::vector<NumberedFile>> list(fs::Disk& disk, const std::string& directory, Parse parse) {
  auto entries = disk.list(directory);
  if (!entries) return entries.error();
  std::vector<NumberedFile> files;
  for (const fs::DirEntry& entry : *entries) {
    if (entry.is_directory) continue;
    if (auto file = parse(entry.name)) files.push_back(std::move(*file));
  }
  std::stable_sort(files.begin(), files.end(),
                   [](const NumberedFile& a, const NumberedFile& b) { return a.zxid < b.zxid; });
  return files;
}

}  // namespace

std::string_view suffix(Compression compression) {
  switch (compression) {
    case Compression::none:
      return "";
    case Compression::gzip:
      return ".gz";
    case Compression::snappy:
      return ".snappy";
  }
  UNREACHABLE("compression {}", static_cast<int>(compression));
}

std::string log_name(Zxid first) {
  return fmt::format("{}{:x}", kLogPrefix, static_cast<std::uint64_t>(first.value));
}

std::string snapshot_name(Zxid zxid, Compression compression) {
  return fmt::format("{}{:x}{}", kSnapshotPrefix, bits(zxid), suffix(compression));
}

std::optional<NumberedFile> parse_log_name(std::string_view name) {
  if (!name.starts_with(kLogPrefix)) return std::nullopt;
  const auto zxid = parse_zxid(name.substr(kLogPrefix.size()));
  if (!zxid) return std::nullopt;
  return NumberedFile{*zxid, std::string(name)};
}

std::optional<NumberedFile> parse_snapshot_name(std::string_view name) {
  if (!name.starts_with(kSnapshotPrefix)) return std::nullopt;
  std::string_view hex = name.substr(kSnapshotPrefix.size());
  Compression compression = Compression::none;
  for (const Compression each : {Compression::gzip, Compression::snappy}) {
    if (!hex.ends_with(suffix(each))) continue;
    compression = each;
    hex.remove_suffix(suffix(each).size());
  }
  const auto zxid = parse_zxid(hex);
  if (!zxid) return std::nullopt;
  return NumberedFile{*zxid, std::string(name), compression};
}

Result<std::vector<NumberedFile>> list_logs(fs::Disk& disk, const std::string& directory) {
  return list(disk, directory, parse_log_name);
}

Result<std::vector<NumberedFile>> list_snapshots(fs::Disk& disk, const std::string& directory) {
  return list(disk, directory, parse_snapshot_name);
}

std::string encode_file_header(std::int32_t magic, std::int64_t dbid) {
  std::string out;
  bytes::Writer writer(out);
  writer.i32(magic);
  writer.i32(kFormatVersion);
  writer.i64(dbid);
  return out;
}

std::uint64_t directory_size(fs::Disk& disk, const std::string& directory) {
  const auto entries = disk.list(directory);
  if (!entries) return 0;
  std::uint64_t total = 0;
  for (const fs::DirEntry& entry : *entries) {
    if (entry.is_directory) continue;
    if (const auto info = disk.info(fs::join(directory, entry.name)); info) total += info->size;
  }
  return total;
}

Status make_durable_dirs(fs::Disk& disk, const std::string& path) {
  const auto info = disk.info(path);
  if (info && info->is_directory) return {};
  const std::string above = fs::parent(path);
  if (above != path) {
    if (auto status = make_durable_dirs(disk, above); !status) return status;
  }
  if (auto status = disk.make_dirs(path); !status) return status;
  return disk.sync_dir(above);
}

}  // namespace tandem::coord::storage
