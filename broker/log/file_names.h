// Names of files and directories in a log directory, as Kafka writes and reads them. Pure: text in, text out.
// Source: Kafka 3.9, which stops at a sub-directory whose name is none of these.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tandem::broker::log {

// "00000000000000001234" + suffix, e.g. ".log".
std::string segment_file(std::int64_t base_offset, std::string_view suffix);

struct SegmentFile {
  std::int64_t base_offset = 0;
  std::string_view suffix;  // all from the first dot on: ".log", ".index.deleted"
};
std::optional<SegmentFile> parse_segment_file(std::string_view name);

constexpr std::string_view kLogSuffix = ".log";
constexpr std::string_view kIndexSuffix = ".index";
constexpr std::string_view kTimeIndexSuffix = ".timeindex";
constexpr std::string_view kTxnIndexSuffix = ".txnindex";
constexpr std::string_view kSnapshotSuffix = ".snapshot";
constexpr std::string_view kDeletedSuffix = ".deleted";
constexpr std::string_view kCleanedSuffix = ".cleaned";
constexpr std::string_view kSwapSuffix = ".swap";
constexpr std::string_view kDamagedSuffix = ".damaged";  // Tandem's; Kafka leaves unknown files alone

// What a sub-directory of a log directory is.
enum class DirKind : std::uint8_t { partition, deleted, future, stray };
struct PartitionDir {
  std::string topic;
  std::int32_t partition = 0;
  DirKind kind = DirKind::partition;
};
std::optional<PartitionDir> parse_partition_dir(std::string_view name);
std::string partition_dir(std::string_view topic, std::int32_t partition);
// topic-partition.UNIQUE-delete; the topic is cut so that the name stays within 255 bytes. `unique` is 32 hex
// digits.
std::string renamed_dir(std::string_view topic, std::int32_t partition, std::string_view unique,
                        std::string_view suffix);

// A directory beside the partitions that Kafka tolerates.
constexpr std::string_view kRemoteIndexCacheDir = "remote-log-index-cache";

}  // namespace tandem::broker::log
