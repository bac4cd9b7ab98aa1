#include "broker/log/producer_state.h"

#include <algorithm>

#include "base/checksum.h"
#include "bytes/reader.h"
#include "bytes/writer.h"

namespace tandem::broker::log {

using base::Errc;
using base::make_error;
using base::Status;

namespace {

constexpr std::int64_t kSequences = std::int64_t{1} << 31;
constexpr std::int16_t kSnapshotVersion = 1;
constexpr std::size_t kSnapshotHeader = 10;
constexpr std::size_t kSnapshotEntry = 46;
constexpr std::size_t kSnapshotCrcAt = 2;
constexpr std::size_t kSnapshotSummedFrom = 6;

bool in_sequence(std::int32_t last, std::int32_t next) {
  return next == static_cast<std::int64_t>(last) + 1 || (next == 0 && last == INT32_MAX);
}

}  // namespace

std::int32_t BatchMetadata::first_sequence() const {
  const std::int64_t first = static_cast<std::int64_t>(last_sequence) - offset_delta;
  return static_cast<std::int32_t>(first < 0 && last_sequence >= 0 ? first + kSequences : first);
}

void ProducerEntry::add(const BatchMetadata& batch) {
  if (count == kBatchesMax) {
    std::move(batches.begin() + 1, batches.end(), batches.begin());
    --count;
  }
  batches[count++] = batch;
}

void ProducerEntry::set_epoch(std::int16_t next) {
  if (next == epoch) return;
  epoch = next;
  count = 0;
}

ProducerVerdict ProducerState::check(const record::BatchView& batch) const {
  const auto it = producers_.find(batch.producer_id());
  const bool open = it != producers_.end() && it->second.txn_first_offset >= 0;
  if (batch.transactional() && !open)
    return {ProducerReject::invalid_txn_state, std::nullopt, "the batch belongs to no open transaction"};
  if (it == producers_.end()) return {};
  const ProducerEntry& entry = it->second;
  const std::int32_t first = batch.base_sequence();
  if (batch.producer_epoch() == entry.epoch) {
    for (std::size_t i = 0; i < entry.count; ++i) {
      const BatchMetadata& known = entry.batches[i];
      if (known.first_sequence() == first && known.last_sequence == batch.last_sequence())
        return {ProducerReject::none, known, {}};
    }
  }
  if (batch.producer_epoch() < entry.epoch)
    return {ProducerReject::invalid_producer_epoch, std::nullopt,
            fmt::format("epoch {} of producer {} is older than {}", batch.producer_epoch(),
                        batch.producer_id(), entry.epoch)};
  const std::int32_t last =
      batch.producer_epoch() == entry.epoch ? entry.last_sequence() : record::kNoSequence;
  const bool fresh = batch.producer_epoch() != entry.epoch ? first == 0 || entry.epoch < 0 : false;
  if (!fresh && !in_sequence(last, first))
    return {ProducerReject::out_of_order_sequence_number, std::nullopt,
            fmt::format("sequence {} of producer {} follows {}", first, batch.producer_id(), last)};
  if (open && !batch.transactional())
    return {ProducerReject::invalid_txn_state, std::nullopt,
            fmt::format("producer {} has an open transaction", batch.producer_id())};
  return {};
}

std::optional<CompletedTxn> ProducerState::apply(const record::BatchView& header, std::string_view whole) {
  const std::int64_t id = header.producer_id();
  if (header.control()) {
    record::RecordReader reader{record::BatchView(whole)};
    record::RecordView record;
    if (!reader.next(record)) return std::nullopt;  // emptied by compaction: its transaction is gone as well
    const auto marker = record::read_end_marker(record);
    if (!marker) return std::nullopt;
    ProducerEntry& entry = producers_[id];
    entry.set_epoch(header.producer_epoch());
    entry.coordinator_epoch = std::max(entry.coordinator_epoch, marker->coordinator_epoch);
    entry.last_timestamp = record.timestamp;
    if (entry.txn_first_offset < 0) return std::nullopt;
    const CompletedTxn txn{id, entry.txn_first_offset, header.offset_field(),
                           marker->type == record::ControlType::abort};
    entry.txn_first_offset = -1;
    return txn;
  }
  ProducerEntry& entry = producers_[id];
  entry.set_epoch(header.producer_epoch());
  entry.add(
      {header.last_sequence(), header.last_offset_delta(), header.last_offset(), header.max_timestamp()});
  entry.last_timestamp = header.max_timestamp();
  if (header.transactional() && entry.txn_first_offset < 0) {
    entry.txn_first_offset = header.offset_field();
    open_.emplace(header.offset_field(), id);
  }
  return std::nullopt;
}

std::int64_t ProducerState::stable_offset_after(const CompletedTxn& txn) const {
  for (const auto& [first, id] : open_)
    if (id != txn.producer_id) return first;
  return txn.last_offset + 1;
}

void ProducerState::complete(const CompletedTxn& txn) {
  open_.erase(txn.first_offset);
  unreplicated_.emplace(txn.first_offset, txn.last_offset);
}

std::optional<std::int64_t> ProducerState::first_unstable_offset() const {
  std::optional<std::int64_t> first;
  if (!open_.empty()) first = open_.begin()->first;
  if (!unreplicated_.empty() && (!first || unreplicated_.begin()->first < *first))
    first = unreplicated_.begin()->first;
  return first;
}

void ProducerState::on_high_watermark(std::int64_t high_watermark) {
  if (unreplicated_.empty()) return;
  std::erase_if(unreplicated_, [&](const auto& txn) { return txn.second < high_watermark; });
}

void ProducerState::clear(std::int64_t end_offset) {
  producers_.clear();
  open_.clear();
  unreplicated_.clear();
  end_offset_ = end_offset;
}

void ProducerState::expire(std::int64_t now_ms, std::int64_t expiration_ms) {
  std::erase_if(producers_, [&](const auto& item) {
    return item.second.txn_first_offset < 0 && now_ms - item.second.last_timestamp >= expiration_ms;
  });
}

std::string ProducerState::snapshot() const {
  std::string out;
  bytes::Writer writer(out);
  writer.i16(kSnapshotVersion);
  writer.u32(0);
  writer.i32(static_cast<std::int32_t>(producers_.size()));
  for (const auto& [id, entry] : producers_) {
    const BatchMetadata last = entry.empty() ? BatchMetadata{} : entry.last();
    writer.i64(id);
    writer.i16(entry.epoch);
    writer.i32(last.last_sequence);
    writer.i64(last.last_offset);
    writer.i32(last.offset_delta);
    writer.i64(entry.last_timestamp);
    writer.i32(entry.coordinator_epoch);
    writer.i64(entry.txn_first_offset);
  }
  const std::uint32_t crc = base::crc32c(std::string_view(out).substr(kSnapshotSummedFrom));
  writer.patch_i32(kSnapshotCrcAt, static_cast<std::int32_t>(crc));
  return out;
}

Status ProducerState::load(std::string_view snapshot, std::int64_t offset, std::int64_t now_ms,
                           std::int64_t expiration_ms) {
  clear(offset);
  bytes::Reader reader(snapshot);
  const std::int16_t version = reader.i16();
  const std::uint32_t crc = reader.u32();
  const std::int32_t count = reader.i32();
  if (!reader.ok() || version != kSnapshotVersion)
    return make_error(Errc::corrupt, "producer snapshot of version {}", version);
  if (count < 0 || snapshot.size() != kSnapshotHeader + static_cast<std::size_t>(count) * kSnapshotEntry)
    return make_error(Errc::corrupt, "producer snapshot of {} bytes claims {} entries", snapshot.size(),
                      count);
  if (crc != base::crc32c(snapshot.substr(kSnapshotSummedFrom)))
    return make_error(Errc::corrupt, "producer snapshot has a wrong CRC");
  for (std::int32_t i = 0; i < count; ++i) {
    const std::int64_t id = reader.i64();
    ProducerEntry entry;
    entry.epoch = reader.i16();
    BatchMetadata last;
    last.last_sequence = reader.i32();
    last.last_offset = reader.i64();
    last.offset_delta = reader.i32();
    last.timestamp = reader.i64();
    entry.last_timestamp = last.timestamp;
    entry.coordinator_epoch = reader.i32();
    entry.txn_first_offset = reader.i64();
    if (last.last_offset >= 0) entry.add(last);
    if (entry.txn_first_offset < 0 && now_ms - entry.last_timestamp >= expiration_ms) continue;
    if (entry.txn_first_offset >= 0) open_.emplace(entry.txn_first_offset, id);
    producers_.emplace(id, entry);
  }
  return {};
}

}  // namespace tandem::broker::log
