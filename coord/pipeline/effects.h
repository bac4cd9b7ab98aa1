// What the pipeline asks its shell to do, and what it is given to write on. Effects are values, in order;
// replies are appended to the output of their link at once, so that a read costs no allocation.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/strong.h"
#include "coord/records/txn_batch.h"
#include "jute/data.h"
#include "jute/ids.h"
#include "jute/opcodes.h"

namespace tandem::coord::pipeline {

// A client's connection; never given twice. The low bits are its slot, a small number that is.
using LinkId = base::Strong<std::uint64_t, struct LinkIdTag>;

inline constexpr unsigned kSlotBits = 20;
inline std::uint32_t slot_of(LinkId link) {
  return static_cast<std::uint32_t>(link.value & ((std::uint64_t{1} << kSlotBits) - 1));
}

using records::TxnBatch;

// A follower or observer that this leader serves: one connection of it, as the transport numbers them. Never
// 0.
using LearnerId = base::Strong<std::uint64_t, struct LearnerIdTag>;

// Log it, and as a leader propose it; call on_committed(batch->last) when it is durable here (standalone) or
// in a quorum (leader); batches in order. A server that stands alone and has no space for it: on_log_full(),
// which takes back every batch that is not durable, and on_log_space() once there is some.
struct Persist {
  std::shared_ptr<const TxnBatch> batch;
};

// Learner: a REQUEST to the leader, in this order. Its answer is the transaction with this session and cxid
// (on_transaction), that of a sync on_sync_done().
struct Forward {
  jute::SessionId session;
  std::int32_t cxid = 0;
  jute::OpCode op = jute::OpCode::error;
  std::string body;
  std::vector<jute::Id> ids;
};

// Learner: a REVALIDATE to the leader, answered by on_revalidated().
struct Revalidate {
  jute::SessionId session;
  std::int32_t timeout_ms = 0;
};

// Leader: the answer to a learner's REVALIDATE.
struct AnswerRevalidate {
  LearnerId learner;
  jute::SessionId session;
  bool valid = false;
};

// Leader: a SYNC to this learner, behind all that was sent to it so far.
struct AnswerSync {
  LearnerId learner;
};

// Leader: it sends faster than its syncs can be answered; close its connection.
struct DropLearner {
  LearnerId learner;
};

// Leader: find out whether a quorum still follows, asked from now on; then on_leadership_confirmed(round).
struct ConfirmLeadership {
  std::uint64_t round = 0;
};

// Leader: the numbers of this epoch are used up and nothing more is proposed. Step down.
struct EpochExhausted {};

// Send what the link's output holds, then close it. on_link_closed() is still called.
struct CloseLink {
  LinkId link;
};

// The link was choked (Pipeline::is_choked) and is no longer: go on reading.
struct ResumeLink {
  LinkId link;
};

// Requests of the link wait because its output has grown large: call on_output_drained() once most of it is
// sent.
struct AwaitOutput {
  LinkId link;
};

using Effect = std::variant<Persist, Forward, Revalidate, AnswerRevalidate, AnswerSync, DropLearner,
                            ConfirmLeadership, EpochExhausted, CloseLink, ResumeLink, AwaitOutput>;

// One line for traces.
std::string printed(const Effect& effect);

// Where replies and events go. Asked for a link that is open; the string is the shell's and is appended to
// only.
class Outputs {
 public:
  virtual ~Outputs() = default;
  virtual std::string& output(LinkId link) = 0;
};

}  // namespace tandem::coord::pipeline
