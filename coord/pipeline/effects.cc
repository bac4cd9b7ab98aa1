#include "coord/pipeline/effects.h"

#include <fmt/format.h>

namespace tandem::coord::pipeline {

namespace {

std::string hex(std::int64_t value) { return fmt::format("0x{:x}", static_cast<std::uint64_t>(value)); }

struct Printer {
  std::string operator()(const Persist& e) const {
    return fmt::format("persist {}-{}", hex(e.batch->first.value), hex(e.batch->last.value));
  }
  std::string operator()(const Forward& e) const {
    return fmt::format("forward {} of session {} cxid {}", jute::to_string(e.op), hex(e.session.value),
                       e.cxid);
  }
  std::string operator()(const Revalidate& e) const {
    return fmt::format("revalidate session {}", hex(e.session.value));
  }
  std::string operator()(const AnswerRevalidate& e) const {
    return fmt::format("tell learner {}: session {} is {}", e.learner.value, hex(e.session.value),
                       e.valid ? "valid" : "not valid");
  }
  std::string operator()(const DropLearner& e) const { return fmt::format("drop learner {}", e.learner); }
  std::string operator()(const AnswerSync& e) const {
    return fmt::format("tell learner {}: synced", e.learner.value);
  }
  std::string operator()(const ConfirmLeadership& e) const {
    return fmt::format("confirm leadership, round {}", e.round);
  }
  std::string operator()(const EpochExhausted&) const { return "no zxid is left in this epoch"; }
  std::string operator()(const CloseLink& e) const { return fmt::format("close link {}", e.link.value); }
  std::string operator()(const ResumeLink& e) const { return fmt::format("resume link {}", e.link.value); }
  std::string operator()(const AwaitOutput& e) const {
    return fmt::format("await output of link {}", e.link.value);
  }
};

}  // namespace

std::string printed(const Effect& effect) { return std::visit(Printer(), effect); }

}  // namespace tandem::coord::pipeline
