// Names and headers of the files in a data directory: log.<hex of its first zxid> in the log directory,
// snapshot.<hex zxid>[.gz|.snappy] in the snapshot directory (both end in /version-2), as Apache names them.
// Also the sizes that `dirs` and `conf` show, and the durable making of the directories.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "fs/disk.h"
#include "jute/ids.h"

namespace tandem::coord::storage {

using jute::Zxid;

inline constexpr std::int32_t kLogMagic = 0x5A4B4C47;       // "ZKLG"
inline constexpr std::int32_t kSnapshotMagic = 0x5A4B534E;  // "ZKSN"
inline constexpr std::int32_t kFormatVersion = 2;
inline constexpr std::int64_t kLogDbId = 0;
inline constexpr std::int64_t kSnapshotDbId = -1;
inline constexpr std::size_t kFileHeaderSize = 16;
inline constexpr std::string_view kVersionDir = "version-2";

enum class Compression { none, gzip, snappy };
std::string_view suffix(Compression compression);  // "", ".gz", ".snappy"

struct NumberedFile {
  Zxid zxid;
  std::string name;
  Compression compression = Compression::none;  // snapshots only

  bool operator==(const NumberedFile&) const = default;
};

std::string log_name(Zxid first);
std::string snapshot_name(Zxid zxid, Compression compression);
std::optional<NumberedFile> parse_log_name(std::string_view name);
std::optional<NumberedFile> parse_snapshot_name(std::string_view name);

// Ascending by zxid. A missing directory is an error of the disk.
base::Result<std::vector<NumberedFile>> list_logs(fs::Disk& disk, const std::string& directory);
base::Result<std::vector<NumberedFile>> list_snapshots(fs::Disk& disk, const std::string& directory);

// magic, version, dbid.
std::string encode_file_header(std::int32_t magic, std::int64_t dbid);

// Bytes of the files directly in the directory; 0 when it cannot be read.
std::uint64_t directory_size(fs::Disk& disk, const std::string& directory);

// Makes the directory with its parents; each new entry is synced into the directory above it.
base::Status make_durable_dirs(fs::Disk& disk, const std::string& path);

}  // namespace tandem::coord::storage
