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
#include "jute/ids.h"

namespace tandem::coord::pipeline {

// A client's connection; never given twice. The low bits are its slot, a small number that is.
using LinkId = base::Strong<std::uint64_t, struct LinkIdTag>;

inline constexpr unsigned kSlotBits = 20;
inline std::uint32_t slot_of(LinkId link) {
  return static_cast<std::uint32_t>(link.value & ((std::uint64_t{1} << kSlotBits) - 1));
}

using records::TxnBatch;

// Log it and make it durable, then call on_durable(batch->last); batches in order. Without space for it:
// on_log_full(), which takes back every batch that is not durable, and on_log_space() once there is some.
struct Persist {
  std::shared_ptr<const TxnBatch> batch;
};

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

using Effect = std::variant<Persist, CloseLink, ResumeLink, AwaitOutput>;

// Where replies and events go. Asked for a link that is open; the string is the shell's and is appended to
// only.
class Outputs {
 public:
  virtual ~Outputs() = default;
  virtual std::string& output(LinkId link) = 0;
};

}  // namespace tandem::coord::pipeline
