// One record of any format, as views into the batch (or into the reader's window for compressed batches), and
// RecordReader, which iterates the records of one batch, decompressing as it goes with bounded memory.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "broker/record/batch.h"
#include "broker/record/compression.h"
#include "bytes/reader.h"
#include "bytes/writer.h"

namespace tandem::broker::record {

using Bytes = std::optional<std::string_view>;  // null is not empty

struct Header {
  std::string_view key;
  Bytes value;
};

struct RecordView {
  std::int64_t offset = 0;
  std::int64_t timestamp = kNoTimestamp;
  Bytes key;
  Bytes value;
  std::string_view headers;  // v2: {keyLen varint, key, valueLen varint, value}*, checked
  std::int32_t header_count = 0;
  bool compressed =
      false;              // v0/v1: the message itself bears a codec; inside a compressed set that is an error
  std::int8_t magic = 2;  // of the message itself; differs from its batch's in a set that mixes formats
  std::uint32_t size = 0;  // bytes of the record as it lies (for size estimates)
  bool crc_ok = true;      // v0/v1 inside a compressed set: its own CRC
};

// Parses one v2 record: body is what follows the length. Offsets and timestamps are relative to `batch`.
bool parse_record(std::string_view body, const BatchView& batch, RecordView& out);

// Appends one v2 record with its length.
void write_record(bytes::Writer& out, std::int64_t timestamp_delta, std::int32_t offset_delta, Bytes key,
                  Bytes value, std::string_view headers, std::int32_t header_count);

// The next header of RecordView::headers.
Header read_header(bytes::Reader& headers);

struct ReaderLimits {
  std::size_t record_bytes_max = std::size_t{256} << 20;  // one record of a compressed batch
  std::size_t batch_bytes_max = std::size_t{1} << 30;     // all of a compressed batch, decompressed
};

class RecordReader {
 public:
  explicit RecordReader(const BatchView& batch, ReaderLimits limits = {});

  // The next record, valid until the next call. False at the end or at an error: see error().
  bool next(RecordView& out);
  const std::optional<base::Error>& error() const { return error_; }

 private:
  bool next_v2(RecordView& out);
  bool next_message(RecordView& out);
  bool load_inner_messages();
  bool need(std::size_t count);  // makes that many bytes contiguous in window_
  bool fail(base::Error error);
  bool finish_v2();

  BatchView batch_;
  ReaderLimits limits_;
  std::optional<base::Error> error_;
  std::int64_t returned_ = 0;
  // v2: window_ is the rest of the body, or what of it has been decompressed into buffer_.
  std::string_view window_;
  std::unique_ptr<Inflater> inflater_;
  std::string buffer_;
  std::size_t inflated_ = 0;
  bool inflated_all_ = true;
  // Legacy: a compressed set is decompressed whole, since its offsets hang on its last message.
  bool started_ = false;
  std::int64_t inner_base_ = 0;
};

}  // namespace tandem::broker::record
