// Pipelines of a leader and its learners, joined without a broadcast: what the leader proposes is committed
// when the test says so, and each learner hears transactions and answers in order, when the test lets it.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/coord/pipeline/pipeline_testing.h"

namespace tandem::coord::pipeline {

class TestEnsemble {
 public:
  using Options = PipelineOptions;

  explicit TestEnsemble(std::size_t learners = 2, Options options = {}) {
    for (std::size_t i = 0; i <= learners; ++i) {
      options.role = i == 0 ? Role::leader : Role::follower;
      members_.push_back(
          std::make_unique<TestServer>(options, auth::AuthOptions(), static_cast<std::int64_t>(i)));
      TestServer& member = *members_.back();
      member.on_sync = [this] { settle(); };
      member.on_effect = [this, i](const Effect& effect) { carry(i, effect); };
    }
    inboxes_.resize(learners + 1);
  }

  TestServer& leader() { return *members_[0]; }
  TestServer& learner(std::size_t i) { return *members_[i]; }  // from 1

  // A quorum has all that was proposed, the leader learns so of all at once. Learners hear of it by
  // deliver().
  void commit() {
    while (!leader().batches.empty()) {
      const auto batches = std::exchange(leader().batches, {});
      for (const auto& batch : batches) {
        leader().log.push_back(batch);
        batch->for_each([&](std::string_view payload) {
          for (std::size_t i = 1; i < members_.size(); ++i)
            inboxes_[i].push_back([payload = std::string(payload)](TestServer& learner) {
              learner.core.on_transaction(payload, learner.now());
            });
        });
      }
      leader().core.on_committed(batches.back()->last, leader().now());
      leader().settle();
    }
  }
  void deliver(std::size_t i, std::size_t at_most = SIZE_MAX) {
    for (; !inboxes_[i].empty() && at_most > 0; --at_most) {
      const auto message = std::move(inboxes_[i].front());
      inboxes_[i].pop_front();
      message(learner(i));
      learner(i).settle();
    }
  }
  // Everything that is on its way arrives.
  void settle() {
    for (bool busy = true; busy;) {
      confirm();
      commit();
      busy = false;
      for (std::size_t i = 1; i < members_.size(); ++i) {
        if (deaf.contains(i)) continue;
        busy = busy || !inboxes_[i].empty();
        deliver(i);
      }
      busy = busy || !leader().batches.empty();
    }
  }
  void confirm() {
    if (!confirms) return;
    for (const std::uint64_t round : std::exchange(rounds, {}))
      leader().core.on_leadership_confirmed(round, leader().now());
    leader().settle();
  }
  void ping() {
    for (std::size_t i = 1; i < members_.size(); ++i) {
      for (const records::Touch& touch : learner(i).core.take_touches())
        leader().core.on_touch(touch.session, touch.timeout_ms, leader().now());
    }
  }
  // All clocks go on, with a PING in between.
  void advance(std::int64_t ms) {
    for (const auto& member : members_) member->clock.advance(base::milliseconds(ms));
    ping();
    for (const auto& member : members_) member->advance(0);
  }
  void check_equal() {
    for (std::size_t i = 1; i < members_.size(); ++i) {
      CHECK(learner(i).tree.digest() == leader().tree.digest());
      CHECK(learner(i).tree.last_zxid() == leader().tree.last_zxid());
      CHECK(learner(i).core.digest_mismatches() == 0);
      CHECK(timeouts(learner(i)) == timeouts(leader()));
    }
  }
  static std::set<std::pair<std::int64_t, std::int32_t>> timeouts(TestServer& server) {
    std::set<std::pair<std::int64_t, std::int32_t>> out;
    for (const auto& [id, timeout_ms] : server.sessions.committed_timeouts())
      out.emplace(id.value, timeout_ms);
    return out;
  }

  std::set<std::size_t> deaf;   // learners to which nothing arrives in settle()
  bool holds_requests = false;  // what learners send stays in `requests`
  bool confirms = true;         // a quorum says that the leader leads
  std::vector<std::uint64_t> rounds;
  std::vector<std::pair<std::size_t, Effect>> requests;

  void send_requests() {
    holds_requests = false;
    for (const auto& [i, effect] : std::exchange(requests, {})) carry(i, effect);
  }

 private:
  void carry(std::size_t from, const Effect& effect) {
    const LearnerId learner(from);
    const bool request =
        std::holds_alternative<Forward>(effect) || std::holds_alternative<Revalidate>(effect);
    if (holds_requests && request) return requests.emplace_back(from, effect), void();
    if (const auto* forward = std::get_if<Forward>(&effect)) {
      leader().core.on_request(learner, {forward->session, forward->cxid, forward->op, forward->body},
                               forward->ids, leader().now());
    } else if (const auto* ask = std::get_if<Revalidate>(&effect)) {
      leader().core.on_revalidate(learner, ask->session, ask->timeout_ms, leader().now());
    } else if (const auto* told = std::get_if<AnswerRevalidate>(&effect)) {
      // The proposals up to here are on their way to the learner.
      const jute::Zxid known =
          leader().batches.empty() ? leader().tree.last_zxid() : leader().batches.back()->last;
      inboxes_[told->learner.value].push_back([answer = *told, known](TestServer& to) {
        to.core.on_revalidated(answer.session, answer.valid, known, to.now());
      });
    } else if (const auto* synced = std::get_if<AnswerSync>(&effect)) {
      inboxes_[synced->learner.value].push_back([](TestServer& to) { to.core.on_sync_done(to.now()); });
    } else if (const auto* confirm = std::get_if<ConfirmLeadership>(&effect)) {
      rounds.push_back(confirm->round);
    }
    if (request) leader().settle();
  }

  std::vector<std::unique_ptr<TestServer>> members_;
  std::vector<std::deque<std::function<void(TestServer&)>>> inboxes_;
};

}  // namespace tandem::coord::pipeline
