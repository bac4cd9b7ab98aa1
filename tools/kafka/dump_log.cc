#include "tools/kafka/dump_log.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "broker/record/record.h"
#include "tools/kafka/commands.h"
#include "tools/kafka/options.h"
#include "tools/kafka/record_json.h"
#include "tools/kafka/text.h"

namespace tandem::tools::kafka {

namespace {

namespace record = broker::record;

constexpr std::string_view kDumpLogName = "kafka-dump-log.sh";
constexpr auto kDumpLogOptions = std::to_array<Option>({
    {"files", "a.log,b.index", "The files to print."},
    {"print-data-log", "", "Also keys and values of records."},
    {"deep-iteration", "", "Every record, not only batches."},
    {"skip-record-metadata", "", "With --print-data-log: keys and values only."},
    {"offsets-decoder", "", "Keys and values are those of __consumer_offsets."},
    {"transaction-log-decoder", "", "Not supported yet."},
    {"cluster-metadata-decoder", "", "Not supported: there are no such logs here."},
    {"remote-log-metadata-decoder", "", "Not supported: there are no such logs here."},
    {"key-decoder-class", "class", "StringDecoder only: classes cannot be loaded here."},
    {"value-decoder-class", "class", "StringDecoder only: classes cannot be loaded here."},
    {"verify-index-only", "", "Only check indexes against their logs."},
    {"index-sanity-check", "", "Only check that indexes can be right."},
    {"max-message-size", "bytes", "Accepted; nothing is cut."},
    {"max-bytes", "bytes", "Read no more of each log."},
    kHelp,
    kVersion,
});

constexpr std::int16_t kAbort = 0;
constexpr std::int16_t kCommit = 1;

const char* name_of(const record::BatchView& batch) {
  if (batch.magic() == 0) return "NoTimestampType";
  return batch.timestamp_type() == record::TimestampType::create ? "CreateTime" : "LogAppendTime";
}

std::string optional_long(bool has, std::int64_t value) {
  return has ? fmt::format("OptionalLong[{}]", value) : "OptionalLong.empty";
}

void print_batch(const record::BatchView& batch, std::size_t position) {
  if (batch.magic() >= 2) {
    fmt::print(
        "baseOffset: {} lastOffset: {} count: {} baseSequence: {} lastSequence: {} producerId: {} "
        "producerEpoch: {} "
        "partitionLeaderEpoch: {} isTransactional: {} isControl: {} deleteHorizonMs: {}",
        batch.offset_field(), batch.last_offset(), batch.record_count(), batch.base_sequence(),
        batch.last_sequence(), batch.producer_id(), batch.producer_epoch(), batch.leader_epoch(),
        batch.transactional(), batch.control(),
        optional_long(batch.has_delete_horizon(), batch.base_timestamp()));
  } else {
    fmt::print("offset: {}", batch.last_offset());
  }
  fmt::print(" position: {} {}: {} size: {} magic: {} compresscodec: {} crc: {} isvalid: {}\n", position,
             name_of(batch), batch.max_timestamp(), batch.size(), batch.magic(),
             batch.known_codec() ? record::to_string(batch.codec()) : "unknown", batch.crc_field(),
             batch.is_valid());
}

std::string header_keys(const record::RecordView& view) {
  std::string keys = "[";
  bytes::Reader headers(view.headers);
  for (std::int32_t i = 0; i < view.header_count; ++i) {
    if (i > 0) keys += ',';
    keys += record::read_header(headers).key;
  }
  return keys + "]";
}

std::int32_t sequence_of(const record::BatchView& batch, const record::RecordView& view) {
  if (batch.base_sequence() < 0) return batch.base_sequence();
  const auto delta = static_cast<std::uint32_t>(view.offset - batch.offset_field());
  return static_cast<std::int32_t>((static_cast<std::uint32_t>(batch.base_sequence()) + delta) & 0x7fffffffu);
}

void print_control(const record::RecordView& view) {
  bytes::Reader key(view.key.value_or(""));
  key.i16();
  const std::int16_t type = key.i16();
  if (key.ok() && (type == kAbort || type == kCommit)) {
    bytes::Reader value(view.value.value_or(""));
    value.i16();
    fmt::print(" endTxnMarker: {} coordinatorEpoch: {}", type == kCommit ? "COMMIT" : "ABORT", value.i32());
  } else {
    fmt::print(" controlType: UNKNOWN({})", type);
  }
}

void print_record(const record::BatchView& batch, const record::RecordView& view, const DumpMode& mode) {
  const auto size_of = [](const record::Bytes& bytes) {
    return bytes ? static_cast<std::int64_t>(bytes->size()) : std::int64_t{-1};
  };
  std::string_view prefix = "| ";
  if (!mode.skip_metadata) {
    fmt::print("| offset: {} {}: {} keySize: {} valueSize: {}", view.offset, name_of(batch), view.timestamp,
               size_of(view.key), size_of(view.value));
    prefix = " ";
    if (batch.magic() >= 2)
      fmt::print(" sequence: {} headerKeys: {}", sequence_of(batch, view), header_keys(view));
    if (batch.control()) print_control(view);
  }
  if (mode.offsets && !batch.control()) {
    const DecodedRecord decoded = decode_offsets_record(view);
    fmt::print("{}key: {}", prefix, decoded.key);
    if (decoded.payload) fmt::print(" payload: {}", *decoded.payload);
  } else if (mode.print_data && !batch.control()) {
    if (view.key) {
      fmt::print("{}key: {}", prefix, *view.key);
      prefix = " ";
    }
    if (view.value) fmt::print(" payload: {}", *view.value);
  }
  fmt::print("\n");
}

std::string unsupported_decoder(const Options& options) {
  for (const char* decoder :
       {"transaction-log-decoder", "cluster-metadata-decoder", "remote-log-metadata-decoder"})
    if (options.has(decoder)) return fmt::format("--{} is not supported yet", decoder);
  for (const char* decoder : {"key-decoder-class", "value-decoder-class"}) {
    const std::string name = options.get_or(decoder, "StringDecoder");
    if (name.substr(name.rfind('.') + 1) != "StringDecoder")
      return fmt::format("--{} {}: classes cannot be loaded here", decoder, name);
  }
  return "";
}

base::Status dump_one(const std::string& path, const DumpMode& mode, DumpFaults& faults) {
  fmt::print("Dumping {}\n", path);
  if (path.ends_with(".log")) return dump_segment(path, mode, faults);
  if (path.ends_with(".timeindex")) return dump_time_index(path, mode, faults);
  if (path.ends_with(".index")) return dump_offset_index(path, mode, faults);
  if (path.ends_with(".snapshot")) return dump_producer_snapshot(path);
  if (path.ends_with(".txnindex")) return dump_txn_index(path);
  fmt::print(stderr, "Ignoring unknown file {}\n", path);
  return {};
}

}  // namespace

base::Result<MappedFile> MappedFile::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return base::make_error(base::Errc::not_found, "{}: {}", path, std::strerror(errno));
  struct stat status {};
  MappedFile file;
  if (::fstat(fd, &status) == 0 && status.st_size > 0) {
    file.size_ = static_cast<std::size_t>(status.st_size);
    void* bytes = ::mmap(nullptr, file.size_, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) {
      ::close(fd);
      return base::make_error(base::Errc::io, "{}: {}", path, std::strerror(errno));
    }
    file.bytes_ = std::shared_ptr<const void>(
        bytes, [size = file.size_](const void* mapped) { ::munmap(const_cast<void*>(mapped), size); });
  }
  ::close(fd);
  return file;
}

std::int64_t base_offset_of(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  return parse_number(name.substr(0, name.find('.'))).value_or(0);
}

std::string sibling(const std::string& path, std::string_view suffix) {
  const std::size_t name = path.rfind('/') + 1;
  return path.substr(0, path.find('.', name)) + std::string(suffix);
}

base::Status dump_segment(const std::string& path, const DumpMode& mode, DumpFaults& faults) {
  const auto file = MappedFile::open(path);
  if (!file) return file.error();
  fmt::print("Log starting offset: {}\n", base_offset_of(path));
  const std::string_view bytes = file->view().substr(0, mode.bytes_max);
  record::BatchCursor cursor(bytes);
  std::int64_t last = -1;
  while (cursor.next()) {
    print_batch(cursor.batch(), cursor.position());
    if (!mode.deep) continue;
    record::RecordReader reader(cursor.batch());
    for (record::RecordView view; reader.next(view);) {
      if (last != -1 && view.offset != last + 1) faults.gaps[path].emplace_back(last, view.offset);
      last = view.offset;
      if (mode.offsets && !view.key && !cursor.batch().control())
        return base::make_error(
            base::Errc::corrupt,
            "Failed to decode message at offset {} using offset topic decoder (message had "
            "a missing key)",
            view.offset);
      print_record(cursor.batch(), view, mode);
    }
    if (reader.error()) return *reader.error();
  }
  const std::size_t trailing = bytes.size() - cursor.consumed();
  if (trailing > 0 && mode.bytes_max == ~std::size_t{0})
    fmt::print("Found {} invalid bytes at the end of {}\n", trailing, path.substr(path.rfind('/') + 1));
  return {};
}

void DumpFaults::print() const {
  const auto list = [](const Pairs& pairs, const char* title, const char* line) {
    for (const auto& [file, all] : pairs) {
      fmt::print(stderr, "{}{}\n", title, file);
      for (const auto& [first, second] : all) fmt::print(stderr, fmt::runtime(line), first, second);
    }
  };
  list(index_mismatches, "Mismatches in :", "  Index offset: {}, log offset: {}\n");
  list(time_mismatches, "Found timestamp mismatch in :", "  Index timestamp: {}, log timestamp: {}\n");
  list(time_order,
       "Found out of order timestamp in :", "  Index timestamp: {}, Previously indexed timestamp: {}\n");
  list(time_not_found, "The following indexed offsets are not found in the log of :",
       "  Indexed offset: {}, found log offset: {}\n");
  list(gaps, "Non-consecutive offsets in ", "  {} is followed by {}\n");
}

int dump_log(const Invocation& invocation) {
  const auto options = Options::parse(kDumpLogOptions, invocation.args);
  if (!options) return wrong_usage(options.error().context, kDumpLogName, kDumpLogOptions);
  if (options->has("help") || invocation.args.empty())
    return wrong_usage(
        "This tool helps to parse a log file and dump its contents to the console, useful for debugging "
        "a seemingly corrupt log segment.",
        kDumpLogName, kDumpLogOptions);
  if (options->has("version")) return print_version();
  if (!options->has("files"))
    return wrong_usage("Missing required argument \"[files]\"", kDumpLogName, kDumpLogOptions);
  const auto bytes_max = options->number("max-bytes");
  if (!bytes_max) return wrong_usage(bytes_max.error().context, kDumpLogName, kDumpLogOptions);
  if (const std::string refused = unsupported_decoder(*options); !refused.empty())
    return wrong_usage(refused, kDumpLogName, kDumpLogOptions);
  DumpMode mode;
  mode.offsets = options->has("offsets-decoder");
  mode.print_data = mode.offsets || options->has("print-data-log") || options->has("key-decoder-class") ||
                    options->has("value-decoder-class");
  mode.deep = mode.print_data || options->has("deep-iteration");
  mode.skip_metadata = options->has("skip-record-metadata");
  mode.verify_only = options->has("verify-index-only");
  mode.sanity_only = options->has("index-sanity-check");
  if (*bytes_max) mode.bytes_max = static_cast<std::size_t>(**bytes_max);
  DumpFaults faults;
  for (const std::string& path : split(*options->get("files"), ',')) {
    const auto done = dump_one(path, mode, faults);
    if (done) continue;
    fmt::print(stderr, "{}\n", done.error().context);
    return 1;
  }
  faults.print();
  return 0;
}

}  // namespace tandem::tools::kafka
