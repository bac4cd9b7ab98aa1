#include "tests/transcript/election/world.h"

#include <fmt/format.h>

#include <algorithm>

#include "coord/records/txn_batch.h"

namespace tandem::transcript {

using namespace coord;

namespace {

std::string short_zxid(jute::Zxid zxid) {
  return fmt::format("{}:{}", records::epoch_of(zxid), records::counter_of(zxid));
}

jute::Zxid zxid_of(const std::string& text) {
  const auto parts = split(text, ':');
  if (parts.size() != 2) throw Fault(fmt::format("'{}' is not EPOCH:COUNTER", text));
  return records::make_zxid(number_of(parts[0]), static_cast<std::uint32_t>(number_of(parts[1])));
}

std::string text_of(const election::Vote& vote) {
  const std::string head = fmt::format("{}, round {}", election::to_string(vote.state), vote.round);
  if (vote.zxid.value < 0) return head + ", no vote";
  return fmt::format("{}, vote {} (epoch {}, {})", head, vote.leader, vote.peer_epoch, short_zxid(vote.zxid));
}

}  // namespace

ElectionWorld::ElectionWorld() {
  const auto each = [](auto act) {
    return [act](const Command& c) {
      for (std::size_t i = 0; i < c.size(); ++i) act(c.number(i));
    };
  };
  on("ensemble", [this](const Command& c) { ensemble(c); });
  on("server", [this](const Command& c) { set(c); });
  on("start", each([this](std::int64_t id) { start(id); }));
  on("kill", each([this](std::int64_t id) { kill(id); }));
  on("look", [this](const Command& c) {
    for (std::size_t i = 0; i < c.size(); ++i) look(c.number(i));
    settle();
  });
  on("cut", [this](const Command& c) { cut(c); });
  on("established", [this](const Command& c) {
    for (auto& [id, server] : servers_)
      if (server.core != nullptr) server.core->set_elected_epoch(c.number(0));
    settle();
  });
  on("pass", [this](const Command& c) { pass(c.time(0)); });
}

// ensemble voters=1,2,3 [observers=4]: new ones, with nothing on their disks.
void ElectionWorld::ensemble(const Command& command) {
  servers_.clear();
  cut_.clear();
  std::vector<quorum::ServerSpec> members;
  for (const char* role : {"voters", "observers"}) {
    for (const std::int32_t id : numbers_of(command.option(role, ""))) {
      quorum::ServerSpec spec;
      spec.id = quorum::ServerId(id);
      if (role == std::string_view("observers")) spec.role = quorum::Role::observer;
      spec.addresses.push_back({"127.0.0.1", 2888, 3888});
      members.push_back(spec);
      servers_[id];
    }
  }
  config_ = quorum::QuorumConfig::of(members);
}

// server ID... [epoch=N] [zxid=E:C]: what is on its disk.
void ElectionWorld::set(const Command& command) {
  for (std::size_t i = 0; i < command.size(); ++i) {
    Server& server = servers_.at(command.number(i));
    server.epoch = command.option("epoch", server.epoch);
    server.zxid = zxid_of(command.option("zxid", "0:0"));
  }
}

ElectionWorld::Server& ElectionWorld::running(std::int64_t id) {
  Server& server = servers_.at(id);
  if (server.core == nullptr) throw Fault(fmt::format("server {} does not run", id));
  return server;
}

bool ElectionWorld::connected(std::int64_t a, std::int64_t b) const {
  return servers_.at(a).core != nullptr && servers_.at(b).core != nullptr &&
         !cut_.contains(std::minmax(a, b));
}

void ElectionWorld::start(std::int64_t id) {
  Server& server = servers_.at(id);
  server.core =
      std::make_unique<election::Election>(election::Options{.self = quorum::ServerId(id)}, config_);
  for (auto& [other, peer] : servers_) {
    if (other == id) continue;
    const auto link = connected(id, other) ? election::Link::up : election::Link::down;
    server.core->on_link(quorum::ServerId(other), link, now_);
    if (peer.core != nullptr) peer.core->on_link(quorum::ServerId(id), link, now_);
  }
  server.core->look(server.zxid, server.epoch, now_);
  settle();
}

void ElectionWorld::kill(std::int64_t id) {
  running(id).core.reset();
  for (auto& [other, peer] : servers_)
    if (peer.core != nullptr) peer.core->on_link(quorum::ServerId(id), election::Link::down, now_);
  settle();
}

void ElectionWorld::look(std::int64_t id) {
  Server& server = running(id);
  server.core->look(server.zxid, server.epoch, now_);
}

// cut A B: they do not hear each other any more.
void ElectionWorld::cut(const Command& command) {
  const std::int64_t a = command.number(0);
  const std::int64_t b = command.number(1);
  cut_.insert(std::minmax(a, b));
  running(a).core->on_link(quorum::ServerId(b), election::Link::down, now_);
  running(b).core->on_link(quorum::ServerId(a), election::Link::down, now_);
  settle();
}

void ElectionWorld::pass(std::chrono::milliseconds time) {
  const base::Instant end = now_ + time;
  for (;;) {
    std::optional<base::Instant> next;
    for (auto& [id, server] : servers_) {
      if (server.core == nullptr) continue;
      const auto deadline = server.core->next_deadline();
      if (deadline && *deadline <= end && (!next || *deadline < *next)) next = deadline;
    }
    if (!next) break;
    now_ = std::max(now_, *next);
    for (auto& [id, server] : servers_) {
      const bool due =
          server.core != nullptr && server.core->next_deadline() && *server.core->next_deadline() <= now_;
      if (due) server.core->on_deadline(now_);
    }
    settle();
  }
  now_ = end;
}

void ElectionWorld::drain(std::int64_t id) {
  for (const auto& effect : servers_.at(id).core->drain()) {
    if (const auto* send = std::get_if<election::Send>(&effect)) {
      if (connected(id, send->to.value))
        messages_.push_back({id, send->to.value, encode(send->notification)});
    } else if (const auto* decide = std::get_if<election::Decide>(&effect)) {
      std::string voters;
      for (const auto voter : decide->voters)
        voters += fmt::format("{}{}", voters.empty() ? "" : ", ", voter);
      say(fmt::format("{} is {}, the leader is {}, elected by {}", id, election::to_string(decide->state),
                      decide->vote.leader, voters));
    } else {
      say(fmt::format("{}: {}", id, election::to_string(effect)));
    }
  }
}

void ElectionWorld::settle() {
  for (;;) {
    for (auto& [id, server] : servers_)
      if (server.core != nullptr) drain(id);
    if (messages_.empty()) return;
    const Message message = std::move(messages_.front());
    messages_.pop_front();
    if (!connected(message.from, message.to)) continue;
    const auto notification = election::decode_notification(message.bytes);
    if (!notification) throw Fault(notification.error().context);
    say(fmt::format("{} to {}: {}", message.from, message.to, text_of(notification->vote)));
    running(message.to).core->on_notification(quorum::ServerId(message.from), *notification, now_);
  }
}

}  // namespace tandem::transcript
