#include "broker/log/offset_index.h"

#include "broker/record/batch.h"

namespace tandem::broker::log {

using base::Errc;
using base::make_error;
using base::Result;
using base::Status;
using record::load_be;
using record::store_be;

OffsetPosition OffsetIndex::parse(std::string_view entry) const {
  return {base_offset_ + load_be<std::int32_t>(entry.data()), load_be<std::int32_t>(entry.data() + 4)};
}

Status OffsetIndex::load_last() {
  last_.reset();
  if (count() == 0) return {};
  const auto entry = file_.entry(count() - 1);
  if (!entry) return entry.error();
  last_ = parse(*entry);
  return {};
}

Status OffsetIndex::open() {
  if (auto status = file_.open(); !status) return status;
  if (auto status = load_last(); !status) return status;
  // A tail of zeros (a preallocated file after an unclean stop) reads as an entry that does not ascend.
  if (last_ && (last_->offset < base_offset_ || (count() > 1 && last_->position == 0)))
    return make_error(Errc::corrupt, "{} ends with offset {} at {}, its base is {}", file_.path(),
                      last_->offset, last_->position, base_offset_);
  return {};
}

Status OffsetIndex::append(std::int64_t offset, std::int64_t position) {
  if (last_ && offset <= last_->offset) return {};
  char entry[kEntrySize];
  store_be(entry, static_cast<std::int32_t>(offset - base_offset_));
  store_be(entry + 4, static_cast<std::int32_t>(position));
  last_ = {offset, position};
  return file_.append(std::string_view(entry, kEntrySize));
}

Result<OffsetPosition> OffsetIndex::lookup(std::int64_t target) const {
  const OffsetPosition begin{base_offset_, 0};
  if (last_ && target >= last_->offset) return *last_;
  const auto point =
      file_.partition_point([&](std::string_view entry) { return parse(entry).offset <= target; });
  if (!point) return point.error();
  if (*point == 0) return begin;
  const auto entry = file_.entry(*point - 1);
  if (!entry) return entry.error();
  return parse(*entry);
}

Result<std::optional<OffsetPosition>> OffsetIndex::first_at_or_after_position(std::int64_t position) const {
  const auto point =
      file_.partition_point([&](std::string_view entry) { return parse(entry).position < position; });
  if (!point) return point.error();
  if (*point == count()) return std::optional<OffsetPosition>{};
  const auto entry = file_.entry(*point);
  if (!entry) return entry.error();
  return std::optional<OffsetPosition>{parse(*entry)};
}

Status OffsetIndex::truncate_to(std::int64_t offset) {
  const auto point =
      file_.partition_point([&](std::string_view entry) { return parse(entry).offset < offset; });
  if (!point) return point.error();
  if (auto status = file_.truncate(*point); !status) return status;
  return load_last();
}

}  // namespace tandem::broker::log
