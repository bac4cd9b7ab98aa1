// ModelLog: a log as its leader epochs and its ends, for transcripts of replication. `log=0:0,3:10 end=20`
// means that offsets 0 to 9 are of epoch 0 and 10 to 19 of epoch 3. Records carry nothing but their epoch.
#pragma once

#include <string>
#include <vector>

#include "broker/replica/truncation.h"
#include "tests/transcript/transcript.h"

namespace tandem::transcript {

class ModelLog final : public broker::replica::FollowedLog {
 public:
  struct EpochStart {
    std::int32_t epoch = 0;
    std::int64_t offset = 0;
  };

  ModelLog() = default;
  explicit ModelLog(const Command& command);  // options log, start, end, hw

  std::int64_t start_offset() const override { return start_; }
  std::int64_t end_offset() const override { return end_; }
  std::int64_t high_watermark() const override { return high_watermark_; }
  std::optional<std::int32_t> latest_epoch() const override;
  broker::replica::EpochEnd end_of(std::int32_t epoch) const override;

  // Of the record at the offset; the records from there on of the same epoch end at `end`.
  std::int32_t epoch_at(std::int64_t offset, std::int64_t& end) const;

  void append(std::int32_t epoch, std::int64_t count);
  void truncate(std::int64_t end);
  void restart(std::int64_t start);
  void advance(std::int64_t high_watermark, std::int64_t start);
  std::string text() const;

 private:
  std::vector<EpochStart> epochs_;
  std::int64_t start_ = 0;
  std::int64_t end_ = 0;
  std::int64_t high_watermark_ = 0;
};

}  // namespace tandem::transcript
