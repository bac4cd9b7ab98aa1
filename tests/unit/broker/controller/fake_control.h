// ClusterControl over a FakeTree: operations are performed at once, on the caller's thread. `lost` takes the
// session away: then nothing is known of any operation.
#pragma once

#include <utility>
#include <vector>

#include "broker/api/cluster_control.h"
#include "tests/unit/broker/controller/fake_tree.h"

namespace tandem::broker::test {

class FakeControl final : public api::ClusterControl {
 public:
  FakeTree tree;
  bool lost = false;
  std::int32_t gone = -1;                                // the broker that is_gone()
  std::vector<std::pair<api::ToController, Told>> told;  // not yet answered

  void ask(controller::ControllerRequest, Answered) override {}
  std::int32_t controller_id() const override { return 0; }
  bool is_gone(std::int32_t controller) const override { return gone == controller; }
  void tell_controller(api::ToController request, base::milliseconds, Told done) override {
    told.emplace_back(std::move(request), std::move(done));
  }
  void perform(std::vector<zk::ZkOp> ops, Performed done) override {
    done(lost ? std::vector<zk::ZkResult>() : tree.perform(ops));
    for (const auto& [path, event] : std::exchange(tree.fired, {})) {
      if (on_event_) on_event_(path, event);
    }
  }
  void subscribe(OnEvent on_event) override { on_event_ = std::move(on_event); }

 private:
  OnEvent on_event_;
};

}  // namespace tandem::broker::test
