#include "broker/record/validate.h"

#include <algorithm>
#include <cstring>

#include "base/checksum.h"

namespace tandem::broker::record {

namespace {

using base::Errc;

// One validation. `fail` keeps the first reason; every step returns false after it.
class Validator {
 public:
  Validator(std::string_view records, const ValidateOptions& options, Validated& out)
      : records_(records), options_(options), out_(out) {}

  void run() {
    if (!analyze()) return;
    const Codec target = options_.target.value_or(source_);
    if (!allowed_for_format(target)) return;
    const bool same_magic = first_.magic() == options_.to_magic;
    in_place_ = same_magic && source_ == target && !(options_.to_magic == 0 && source_ != Codec::none);
    if (source_ == Codec::none && first_.control()) in_place_ = true;
    if (in_place_ && first_.magic() >= 2) return keep_v2();
    if (in_place_ && source_ == Codec::none) return keep_messages();
    rebuild(target);
  }

 private:
  template <class... Args>
  bool fail(Reject code, fmt::format_string<Args...> format, Args&&... args) {
    if (out_.reject != Reject::none) return false;
    out_.reject = code;
    out_.message = fmt::format(format, std::forward<Args>(args)...);
    return false;
  }

  // Sizes, checksums and headers of all batches, before any record is looked at.
  bool analyze() {
    BatchCursor cursor(records_);
    while (cursor.next()) {
      const BatchView& batch = cursor.batch();
      if (batch.magic() >= 2 && options_.origin == Origin::client && batch.offset_field() != 0)
        return fail(Reject::invalid_record, "the base offset of a produced batch is 0, not {}",
                    batch.offset_field());
      if (batch.size() > options_.batch_bytes_max)
        return fail(Reject::message_too_large, "a batch of {} bytes exceeds max.message.bytes {}",
                    batch.size(), options_.batch_bytes_max);
      if (!batch.is_valid())
        return fail(Reject::corrupt_message, "stored CRC {:08x} is not that of the batch", batch.crc_field());
      if (!batch.known_codec())
        return fail(Reject::unknown_server_error, "codec {} is unknown", batch.attributes() & kCodecMask);
      if (count_ == 0) first_ = batch;
      if (batch.compressed()) source_ = batch.codec();
      ++count_;
    }
    if (cursor.ended() == CursorEnd::corrupt)
      return fail(Reject::corrupt_message, "no batch begins at byte {} of {}", cursor.consumed(),
                  records_.size());
    records_ = records_.substr(0, cursor.consumed());
    if (count_ == 0) return fail(Reject::invalid_record, "the record set holds no whole batch");
    if (count_ > 1 && (first_.magic() >= 2 || source_ != Codec::none))
      return fail(Reject::invalid_record, "{} batches where one is allowed", count_);
    BatchCursor again(records_);
    while (again.next())
      if (!check_batch(again.batch())) return false;
    return true;
  }

  bool check_batch(const BatchView& batch) {
    if (batch.magic() != first_.magic())
      return fail(Reject::invalid_record, "magic {} in a set that begins with {}", batch.magic(),
                  first_.magic());
    if (options_.origin != Origin::client) return true;
    if (batch.magic() >= 2) {
      const std::int64_t span = static_cast<std::int64_t>(batch.last_offset_delta()) + 1;
      if (span <= 0) return fail(Reject::invalid_record, "last offset delta {}", batch.last_offset_delta());
      if (batch.record_count() <= 0)
        return fail(Reject::invalid_record, "record count {}", batch.record_count());
      if (span != batch.record_count())
        return fail(Reject::invalid_record, "offsets span {} records, the batch counts {}", span,
                    batch.record_count());
    }
    if (batch.control()) return fail(Reject::invalid_record, "clients do not write control records");
    if (batch.has_producer_id() && batch.base_sequence() < 0)
      return fail(Reject::invalid_record, "sequence {} of producer {}", batch.base_sequence(),
                  batch.producer_id());
    return true;
  }

  bool allowed_for_format(Codec target) {
    if (options_.to_magic >= 2) return true;
    if (target == Codec::zstd)
      return fail(Reject::unknown_server_error, "zstd needs message format 2, the topic has {}",
                  options_.to_magic);
    if (first_.transactional() || first_.has_producer_id())
      return fail(Reject::unsupported_for_message_format,
                  "producer ids need message format 2, the topic has {}", options_.to_magic);
    return true;
  }

  void record_error(Reject code, std::int32_t index, std::string message) {
    if (code == Reject::invalid_timestamp) bad_timestamp_ = true;
    out_.record_errors.push_back({index, std::move(message)});
  }

  bool check_record(const BatchView& batch, const RecordView& record, std::int32_t index) {
    if (record.compressed && batch.compressed()) {
      record_error(Reject::invalid_record, index, "a compressed message inside a compressed set");
      return true;
    }
    if (record.magic != batch.magic()) {
      record_error(Reject::invalid_record, index,
                   fmt::format("magic {} inside a set of magic {}", record.magic, batch.magic()));
      return true;
    }
    if (batch.magic() < 2 && batch.compressed() && !record.crc_ok)
      return fail(Reject::corrupt_message, "message {} of the set has a wrong CRC", index);
    if (options_.compacted && !record.key) {
      record_error(Reject::invalid_record, index,
                   fmt::format("Compacted topic cannot accept message without key in topic partition {}-{}",
                               options_.topic, options_.partition));
      return true;
    }
    check_timestamp(batch, record, index);
    return true;
  }

  void check_timestamp(const BatchView& batch, const RecordView& record, std::int32_t index) {
    if (options_.timestamp_type == TimestampType::create && record.timestamp != kNoTimestamp) {
      const auto ahead = static_cast<std::int64_t>(static_cast<std::uint64_t>(record.timestamp) -
                                                   static_cast<std::uint64_t>(options_.now_ms));
      if (ahead < -options_.before_max_ms || ahead > options_.after_max_ms)
        record_error(
            Reject::invalid_timestamp, index,
            fmt::format("timestamp {} is too far from the broker's {}", record.timestamp, options_.now_ms));
    } else if (batch.timestamp_type() == TimestampType::log_append) {
      record_error(Reject::invalid_timestamp, index, "a producer does not set the type LogAppendTime");
    }
  }

  // Reads all records of a batch; what(record) sees each one that passed. False after a rejection.
  template <class What>
  bool walk(const BatchView& batch, What&& what) {
    RecordReader reader(batch, options_.limits);
    RecordView record;
    std::int32_t index = 0;
    while (reader.next(record)) {
      const std::size_t errors = out_.record_errors.size();
      if (!check_record(batch, record, index)) return false;
      if (out_.record_errors.size() == errors) what(record, index);
      ++index;
    }
    if (reader.error()) return fail(code_of(*reader.error(), batch), "{}", reader.error()->context);
    return no_record_errors();
  }

  Reject code_of(const base::Error& error, const BatchView& batch) const {
    if (error.code == Errc::io) return Reject::unknown_server_error;
    if (batch.magic() >= 2) return Reject::invalid_record;
    if (error.code == Errc::truncated) return Reject::unknown_server_error;
    return error.code == Errc::corrupt ? Reject::corrupt_message : Reject::invalid_record;
  }

  bool no_record_errors() {
    if (out_.record_errors.empty()) return true;
    if (bad_timestamp_)
      return fail(Reject::invalid_timestamp,
                  "One or more records have been rejected due to invalid timestamp");
    std::string shown;
    for (std::size_t i = 0; i < std::min<std::size_t>(out_.record_errors.size(), 3); ++i) {
      const RecordError& error = out_.record_errors[i];
      shown += fmt::format("{}RecordError(batchIndex={}, message='{}')", i == 0 ? "" : ", ", error.index,
                           error.message);
    }
    return fail(
        Reject::invalid_record,
        "One or more records have been rejected due to {} record errors in total, and only showing the "
        "first three errors at most: [{}]",
        out_.record_errors.size(), shown);
  }

  void set_offsets(std::int64_t count) {
    out_.first_offset = options_.next_offset;
    out_.last_offset = options_.next_offset + count - 1;
    if (options_.timestamp_type == TimestampType::log_append) out_.log_append_time = options_.now_ms;
  }

  // The batch stays as sent, but for its header.
  void keep_v2() {
    std::int64_t max_timestamp = kNoTimestamp;
    bool consecutive = true;
    std::int64_t expected = first_.offset_field();
    const bool compressed = first_.compressed();
    const bool ok = walk(first_, [&](const RecordView& record, std::int32_t) {
      max_timestamp = std::max(max_timestamp, record.timestamp);
      consecutive = consecutive && record.offset == expected;
      ++expected;
    });
    if (!ok) return;
    if (compressed && !consecutive)
      return rebuild(first_.codec());  // some old clients miscount inner offsets
    const bool append_time = options_.timestamp_type == TimestampType::log_append;
    if (append_time) max_timestamp = options_.now_ms;
    set_offsets(first_.record_count());
    out_.max_timestamp = max_timestamp;
    out_.offset_of_max_timestamp = max_timestamp == kNoTimestamp && !compressed ? -1 : out_.last_offset;
    std::memcpy(out_.header.data(), first_.bytes().data(), kBatchHeaderSize);
    char* header = out_.header.data();
    store_be<std::int64_t>(header, out_.first_offset);
    store_be<std::int32_t>(header + kLeaderEpochAt, options_.leader_epoch);
    if (max_timestamp != first_.max_timestamp() || first_.timestamp_type() != options_.timestamp_type)
      restamp(header, max_timestamp, append_time);
    out_.one = {std::string_view(header, kBatchHeaderSize), first_.body()};
    out_.bytes = first_.size();
  }

  void restamp(char* header, std::int64_t max_timestamp, bool append_time) {
    auto attributes = static_cast<std::uint16_t>(first_.attributes() & ~kLogAppendTimeBit);
    if (append_time) attributes |= kLogAppendTimeBit;
    store_be(header + kAttributesAt, attributes);
    store_be(header + kMaxTimestampAt, max_timestamp);
    const std::uint32_t crc = base::crc32c(std::string_view(header, kBatchHeaderSize).substr(kAttributesAt));
    store_be(header + kCrcAt, base::crc32c(first_.body(), crc));
  }

  // Uncompressed messages v0/v1 for a topic of the same format: a copy with offsets (and timestamps) set.
  void keep_messages() {
    out_.rebuilt.assign(records_);
    std::int64_t offset = options_.next_offset;
    const bool append_time = options_.timestamp_type == TimestampType::log_append && options_.to_magic == 1;
    BatchCursor cursor(records_);
    while (cursor.next()) {
      const BatchView& batch = cursor.batch();
      if (!walk(batch, [](const RecordView&, std::int32_t) {})) return;
      char* at = out_.rebuilt.data() + cursor.position();
      store_be<std::int64_t>(at, offset);
      if (append_time) {
        at[kLegacyAttributesAt] = static_cast<char>(at[kLegacyAttributesAt] | kLogAppendTimeBit);
        store_be<std::int64_t>(at + kLegacyTimestampAt, options_.now_ms);
        store_be(at + kLegacyCrcAt, base::crc32(std::string_view(at, batch.size()).substr(kMagicAt)));
      }
      if (batch.magic() > 0 && batch.max_timestamp() > out_.max_timestamp) {
        out_.max_timestamp = batch.max_timestamp();
        out_.offset_of_max_timestamp = offset;
      }
      ++offset;
    }
    if (append_time) {
      out_.max_timestamp = options_.now_ms;
      out_.offset_of_max_timestamp = options_.next_offset;
    }
    set_offsets(offset - options_.next_offset);
    cut_rebuilt();
  }

  // Another format or codec: every record is read and written again.
  void rebuild(Codec target) {
    BatchOptions batch_options{.magic = options_.to_magic,
                               .codec = target,
                               .level = options_.level,
                               .timestamp_type = options_.timestamp_type,
                               .base_offset = options_.next_offset,
                               .log_append_time = options_.now_ms,
                               .producer_id = first_.producer_id(),
                               .producer_epoch = first_.producer_epoch(),
                               .base_sequence = first_.base_sequence(),
                               .leader_epoch = options_.leader_epoch,
                               .transactional = first_.transactional(),
                               .control = first_.control()};
    if (options_.to_magic == 0) batch_options.timestamp_type = TimestampType::create;
    BatchBuilder builder(batch_options);
    std::int64_t offset = options_.next_offset;
    BatchCursor cursor(records_);
    while (cursor.next()) {
      const bool ok = walk(cursor.batch(), [&](const RecordView& record, std::int32_t) {
        builder.append(offset++, record.timestamp, record.key, record.value, record.headers,
                       record.header_count);
      });
      if (!ok) return;
    }
    auto bytes = builder.finish();
    if (!bytes) {
      fail(Reject::unknown_server_error, "{}", bytes.error().context);
      return;
    }
    out_.rebuilt = std::move(*bytes);
    out_.max_timestamp = builder.max_timestamp();
    out_.offset_of_max_timestamp = builder.offset_of_max_timestamp();
    set_offsets(builder.count());
    cut_rebuilt();
  }

  void cut_rebuilt() {
    BatchCursor cursor(out_.rebuilt);
    while (cursor.next()) {
      if (cursor.batch().size() > options_.batch_bytes_max) {
        fail(Reject::message_too_large, "a converted batch of {} bytes exceeds max.message.bytes {}",
             cursor.batch().size(), options_.batch_bytes_max);
        return;
      }
      out_.many.push_back({cursor.batch().bytes(), {}});
    }
    out_.bytes = out_.rebuilt.size();
  }

  std::string_view records_;
  const ValidateOptions& options_;
  Validated& out_;
  BatchView first_;
  Codec source_ = Codec::none;
  std::size_t count_ = 0;
  bool in_place_ = true;
  bool bad_timestamp_ = false;
};

}  // namespace

void validate(std::string_view records, const ValidateOptions& options, Validated& out) {
  out.reject = Reject::none;
  out.message.clear();
  out.record_errors.clear();
  out.rebuilt.clear();
  out.many.clear();
  out.one = {};
  out.bytes = 0;
  out.max_timestamp = kNoTimestamp;
  out.offset_of_max_timestamp = -1;
  out.log_append_time = kNoTimestamp;
  out.last_offset = options.next_offset - 1;
  Validator(records, options, out).run();
}

}  // namespace tandem::broker::record
