#include "tests/transcript/replica/model_log.h"

#include <fmt/core.h>

#include <algorithm>

namespace tandem::transcript {

ModelLog::ModelLog(const Command& command)
    : start_(command.option("start", 0)), end_(command.option("end", 0)) {
  for (const auto& entry : split(command.option("log", ""), ',')) {
    const auto parts = split(entry, ':');
    if (parts.size() != 2) throw Fault(fmt::format("'{}' is not an epoch and its start such as 3:10", entry));
    epochs_.push_back({static_cast<std::int32_t>(number_of(parts[0])), number_of(parts[1])});
  }
  high_watermark_ = command.option("hw", end_);
}

std::optional<std::int32_t> ModelLog::latest_epoch() const {
  if (epochs_.empty()) return std::nullopt;
  return epochs_.back().epoch;
}

broker::replica::EpochEnd ModelLog::end_of(std::int32_t epoch) const {
  if (epochs_.empty() || epoch > epochs_.back().epoch) return {};
  if (epoch == epochs_.back().epoch) return {epoch, end_};
  const auto next = std::find_if(epochs_.begin(), epochs_.end(),
                                 [&](const EpochStart& entry) { return entry.epoch > epoch; });
  return {next == epochs_.begin() ? epoch : std::prev(next)->epoch, next->offset};
}

std::int32_t ModelLog::epoch_at(std::int64_t offset, std::int64_t& end) const {
  std::int32_t epoch = -1;
  end = end_;
  for (const EpochStart& entry : epochs_) {
    if (entry.offset > offset) {
      end = entry.offset;
      break;
    }
    epoch = entry.epoch;
  }
  return epoch;
}

void ModelLog::append(std::int32_t epoch, std::int64_t count) {
  if (epoch >= 0 && (epochs_.empty() || epochs_.back().epoch < epoch)) epochs_.push_back({epoch, end_});
  end_ += count;
}

void ModelLog::truncate(std::int64_t end) {
  end_ = std::min(end, end_);
  high_watermark_ = std::min(high_watermark_, end_);
  std::erase_if(epochs_, [&](const EpochStart& entry) { return entry.offset >= end_; });
}

void ModelLog::restart(std::int64_t start) {
  epochs_.clear();
  start_ = end_ = high_watermark_ = start;
}

void ModelLog::advance(std::int64_t high_watermark, std::int64_t start) {
  high_watermark_ = high_watermark;
  start_ = std::max(start_, start);
}

std::string ModelLog::text() const {
  std::string epochs;
  for (const EpochStart& entry : epochs_)
    epochs += fmt::format("{}{}:{}", epochs.empty() ? "" : ",", entry.epoch, entry.offset);
  return fmt::format("log={} start={} end={} hw={}", epochs, start_, end_, high_watermark_);
}

}  // namespace tandem::transcript
