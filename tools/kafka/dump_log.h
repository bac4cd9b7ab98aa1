// kafka-dump-log.sh, its files by kind: log segments here as text, indexes and snapshots in dump_index.cc.
// Files are mapped, never written. Faults that are found go to standard error at the end, as Apache's tool
// does.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tandem::tools::kafka {

// A whole file in memory, read-only.
class MappedFile {
 public:
  static base::Result<MappedFile> open(const std::string& path);
  std::string_view view() const { return {static_cast<const char*>(bytes_.get()), size_}; }

 private:
  std::shared_ptr<const void> bytes_;
  std::size_t size_ = 0;
};

struct DumpFaults {
  using Pairs = std::map<std::string, std::vector<std::pair<std::int64_t, std::int64_t>>>;  // by file
  Pairs index_mismatches, time_mismatches, time_order, time_not_found, gaps;

  void print() const;
};

struct DumpMode {
  bool deep = false;           // every record, not only batches
  bool print_data = false;     // with keys and values
  bool skip_metadata = false;  // only keys and values
  bool offsets = false;        // keys and values are those of __consumer_offsets
  bool verify_only = false;    // indexes: only say what is wrong
  bool sanity_only = false;    // indexes: only whether sizes and order can be right
  std::size_t bytes_max = ~std::size_t{0};
};

std::int64_t base_offset_of(const std::string& path);
std::string sibling(const std::string& path, std::string_view suffix);  // "…/0005.log" of "…/0005.index"

base::Status dump_segment(const std::string& path, const DumpMode& mode, DumpFaults& faults);
base::Status dump_offset_index(const std::string& path, const DumpMode& mode, DumpFaults& faults);
base::Status dump_time_index(const std::string& path, const DumpMode& mode, DumpFaults& faults);
base::Status dump_producer_snapshot(const std::string& path);
base::Status dump_txn_index(const std::string& path);

}  // namespace tandem::tools::kafka
