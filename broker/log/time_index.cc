#include "broker/log/time_index.h"

#include "broker/record/batch.h"

namespace tandem::broker::log {

using base::Errc;
using base::make_error;
using base::Result;
using base::Status;
using record::load_be;
using record::store_be;

TimestampOffset TimeIndex::parse(std::string_view entry) const {
  return {load_be<std::int64_t>(entry.data()), base_offset_ + load_be<std::int32_t>(entry.data() + 8)};
}

Status TimeIndex::load_last() {
  last_.reset();
  if (count() == 0) return {};
  const auto entry = file_.entry(count() - 1);
  if (!entry) return entry.error();
  last_ = parse(*entry);
  return {};
}

Status TimeIndex::open() {
  if (auto status = file_.open(); !status) return status;
  if (auto status = load_last(); !status) return status;
  if (!last_) return {};
  const auto first = file_.entry(0);
  if (!first) return first.error();
  if (last_->timestamp < parse(*first).timestamp || last_->offset < base_offset_)
    return make_error(Errc::corrupt, "{} ends with timestamp {} at offset {}, its base is {}", file_.path(),
                      last_->timestamp, last_->offset, base_offset_);
  return {};
}

Status TimeIndex::maybe_append(TimestampOffset entry) {
  if (entry.timestamp < 0 || (last_ && (entry.timestamp <= last_->timestamp || entry.offset < last_->offset)))
    return {};
  char bytes[kEntrySize];
  store_be(bytes, entry.timestamp);
  store_be(bytes + 8, static_cast<std::int32_t>(entry.offset - base_offset_));
  last_ = entry;
  return file_.append(std::string_view(bytes, kEntrySize));
}

Result<TimestampOffset> TimeIndex::lookup(std::int64_t timestamp) const {
  if (last_ && timestamp >= last_->timestamp) return *last_;
  const auto point =
      file_.partition_point([&](std::string_view entry) { return parse(entry).timestamp <= timestamp; });
  if (!point) return point.error();
  if (*point == 0) return TimestampOffset{-1, base_offset_};
  const auto entry = file_.entry(*point - 1);
  if (!entry) return entry.error();
  return parse(*entry);
}

Status TimeIndex::truncate_to(std::int64_t offset) {
  const auto point =
      file_.partition_point([&](std::string_view entry) { return parse(entry).offset < offset; });
  if (!point) return point.error();
  if (auto status = file_.truncate(*point); !status) return status;
  return load_last();
}

}  // namespace tandem::broker::log
