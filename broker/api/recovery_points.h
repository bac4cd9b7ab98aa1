// RecoveryPoints: what the recovery-point files of the log directories say, and the cuts that wait until they
// say less: a start after a crash takes for whole what lies below. Owned by Replicas and under its lock; the
// files are written by its disk threads, one writer at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "broker/log/text_checkpoint.h"

namespace tandem::broker::api {

class RecoveryPoints {
 public:
  using Where = log::TopicPartition;
  using Said = std::shared_ptr<const log::OffsetCheckpoint>;  // one file's contents

  explicit RecoveryPoints(std::size_t dirs) : files_(dirs) {}

  // The file of this directory is replaced from now on, and has been. Between the two, and for ever where
  // that fails, it may say the one or the other.
  void begin(std::size_t dir, Said said) { files_[dir].coming = std::move(said); }
  // Gives what stood before.
  Said end(std::size_t dir) { return std::exchange(files_[dir].stands, std::move(files_[dir].coming)); }
  // Nothing is under way.
  const Said& stands(std::size_t dir) const { return files_[dir].stands; }
  bool may_exceed(std::size_t dir, const Where& where, std::int64_t offset) const;

  // Until end_wait(), as many times as this was called, nothing is written of the log beyond the lowest
  // offset.
  void wait(const Where& where, std::int64_t offset);
  void end_wait(const Where& where);
  std::int64_t bounded(const Where& where, std::int64_t recovery_point) const;
  // What stands, but for what cuts wait for.
  static Said lowered(const Said& stands, const std::map<Where, std::int64_t>& cuts);
  std::map<Where, std::int64_t> cuts() const;

 private:
  struct File {
    Said stands = std::make_shared<log::OffsetCheckpoint>();
    Said coming;  // null: nothing is under way
  };
  struct Cut {
    std::int64_t offset = INT64_MAX;
    int waiting = 0;
  };
  std::vector<File> files_;
  std::map<Where, Cut> cuts_;
};

}  // namespace tandem::broker::api
