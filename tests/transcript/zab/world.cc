#include "tests/transcript/zab/world.h"

#include <fmt/core.h>

#include <algorithm>

#include "bytes/writer.h"

namespace tandem::transcript {

using namespace coord;
using records::PacketType;
using records::TxnRef;

namespace {

constexpr std::size_t kDataMax = 1 << 20;

std::string short_zxid(jute::Zxid zxid) {
  if (zxid.value == -1) return "-1";
  return fmt::format("{}:{}", records::epoch_of(zxid), records::counter_of(zxid));
}

// A transaction of any kind: the cores look at the zxid of its header only.
std::string payload_of(jute::Zxid zxid) {
  std::string out;
  bytes::Writer writer(out);
  writer.i64(0x77);
  writer.i32(1);
  writer.i64(zxid.value);
  writer.i64(1'700'000'000'000);
  writer.i32(static_cast<std::int32_t>(jute::OpCode::close_session));
  return out;
}

TxnRef txn_of(jute::Zxid zxid) { return TxnRef{zxid, bytes::Slice::own(payload_of(zxid))}; }

jute::Zxid zxid_of(const std::string& text) {
  const auto parts = split(text, ':');
  if (parts.size() != 2) throw Fault(fmt::format("'{}' is not EPOCH:COUNTER", text));
  return records::make_zxid(number_of(parts[0]), static_cast<std::uint32_t>(number_of(parts[1])));
}

std::shared_ptr<records::TxnBatch> batch_of(jute::Zxid first, std::int64_t count) {
  auto batch = std::make_shared<records::TxnBatch>();
  batch->first = first;
  for (std::int64_t i = 0; i < count; ++i) {
    batch->last = jute::Zxid(first.value + i);
    const std::string payload = payload_of(batch->last);
    batch->bytes += payload;
    batch->sizes.push_back(static_cast<std::uint32_t>(payload.size()));
  }
  return batch;
}

}  // namespace

ZabWorld::ZabWorld() {
  on("server", [this](const Command& c) { add_server(c); });
  on("lead", [this](const Command& c) { lead(c); });
  on("follow", [this](const Command& c) { connect(c, false); });
  on("observe", [this](const Command& c) { connect(c, true); });
  on("propose", [this](const Command& c) { propose(c.number(0)); });
  on("sync", [this](const Command& c) {  // the disk of a slow server does one thing
    Server& at = server(c.number(0));
    if (at.disk.empty()) throw Fault("its disk has nothing to do");
    const auto work = std::move(at.disk.front());
    at.disk.pop_front();
    work();
    settle();
  });
  on("slow", [this](const Command& c) { server(c.number(0)).slow = true; });
  on("fast", [this](const Command& c) {
    Server& at = server(c.number(0));
    at.slow = false;
    for (const auto& work : std::exchange(at.disk, {})) work();
    settle();
  });
  on("drop", [this](const Command& c) { cut_off(c.number(0)); });
  on("confirm", [this](const Command&) {
    leader_->confirm(++confirmations_, now_);
    settle();
  });
  on("pass", [this](const Command& c) { pass(c.time(0)); });
  on("logs", [this](const Command&) { show_logs(); });
}

// What went on before ends. server ID... [epoch=N] [accepted=N] [snapshot=E:C] [log=E:A-B,E:A-B...]
// [recent=COUNT]: votes if it is one of the first that are named before `lead`.
void ZabWorld::add_server(const Command& command) {
  leader_.reset();
  for (auto& [id, each] : servers_) {
    each.learner.reset();
    each.link.reset();
  }
  for (std::size_t i = 0; i < command.size(); ++i) {
    servers_.erase(command.number(i));
    Server& at = servers_[command.number(i)];
    at.current_epoch = command.option("epoch", std::int64_t{0});
    at.accepted_epoch = command.option("accepted", at.current_epoch);
    at.snapshot = zxid_of(command.option("snapshot", "0:0"));
    for (const std::string& range : split(command.option("log", ""), ',')) {
      const auto ends = split(range, '-');
      const Zxid last = ends.size() == 1 ? zxid_of(range)
                                         : records::make_zxid(records::epoch_of(zxid_of(ends[0])),
                                                              static_cast<std::uint32_t>(number_of(ends[1])));
      for (Zxid zxid = zxid_of(ends[0]); zxid <= last; zxid = zxid.next()) at.log.push_back(txn_of(zxid));
    }
    const auto recent = static_cast<std::size_t>(command.option("recent", std::int64_t{500}));
    at.recent = zab::CommitLog(std::max<std::size_t>(recent, 1));
    if (recent > 0) {
      for (const TxnRef& txn : at.log) at.recent.add(txn);
    }
  }
}

// lead ID [voters=1,2,3]
void ZabWorld::lead(const Command& command) {
  leading_ = command.number(0);
  std::vector<quorum::ServerSpec> members;
  for (const std::int32_t id : numbers_of(command.option("voters", "1,2,3"))) {
    quorum::ServerSpec spec;
    spec.id = quorum::ServerId(id);
    spec.addresses.push_back({"127.0.0.1", 2888, 3888});
    members.push_back(spec);
  }
  config_ = quorum::QuorumConfig::of(members);
  Server& at = server(leading_);
  leader_ = std::make_unique<zab::Leader>(zab::LeaderOptions{.self = quorum::ServerId(leading_)},
                                          zab::LeaderStart{at.accepted_epoch, at.current_epoch, at.last()},
                                          config_, at.recent, now_);
  settle();
}

void ZabWorld::connect(const Command& command, bool observer) {
  for (std::size_t i = 0; i < command.size(); ++i) {
    const std::int64_t id = command.number(i);
    Server& at = server(id);
    at.learner = std::make_unique<zab::Learner>(
        zab::LearnerOptions{.self = quorum::ServerId(id), .observer = observer},
        zab::LearnerStart{at.accepted_epoch, at.current_epoch, at.last()}, at.recent, now_);
    at.heard = std::make_unique<records::QuorumPacketDecoder>(kDataMax);
    heard_by_leader_[id] = std::make_unique<records::QuorumPacketDecoder>(kDataMax);
    at.link = leader_->open_learner(now_);
    at.learner->on_connected(now_);
    settle();
  }
}

void ZabWorld::propose(std::int64_t count) {
  if (leader_ == nullptr || leader_->phase() != zab::LeaderPhase::broadcast) throw Fault("nobody leads");
  leader_->propose(batch_of(leader_->status().last_proposed.next(), count), now_);
  settle();
}

void ZabWorld::cut_off(std::int64_t id) {
  Server& at = server(id);
  if (at.link) leader_->on_closed(*at.link, now_);
  at.link.reset();
  if (at.learner != nullptr) at.learner->on_disconnected("the connection is lost", now_);
  settle();
}

void ZabWorld::pass(std::chrono::milliseconds time) {
  const base::Instant end = now_ + time;
  for (;;) {
    std::optional<base::Instant> next = leader_->next_deadline();
    for (const auto& [id, each] : servers_) {
      const auto theirs = each.learner != nullptr ? each.learner->next_deadline() : std::nullopt;
      if (theirs && (!next || *theirs < *next)) next = theirs;
    }
    if (!next || *next > end) break;
    now_ = std::max(now_, *next);
    leader_->on_deadline(now_);
    for (auto& [id, each] : servers_) {
      if (each.learner != nullptr) each.learner->on_deadline(now_);
    }
    settle();
  }
  now_ = end;
}

void ZabWorld::show_logs() {
  for (const auto& [id, each] : servers_) {
    std::string line =
        fmt::format("{} epoch {}, snapshot {}, log", id, each.current_epoch, short_zxid(each.snapshot));
    for (std::size_t i = 0; i < each.log.size(); ++i) {
      const bool starts = i == 0 || each.log[i].zxid != each.log[i - 1].zxid.next();
      const bool ends = i + 1 == each.log.size() || each.log[i + 1].zxid != each.log[i].zxid.next();
      if (starts) line += " " + short_zxid(each.log[i].zxid);
      if (ends && !starts) line += fmt::format("-{}", records::counter_of(each.log[i].zxid));
    }
    say(line);
  }
}

ZabWorld::Server& ZabWorld::server(std::int64_t id) {
  const auto it = servers_.find(id);
  if (it == servers_.end()) throw Fault(fmt::format("there is no server {}", id));
  return it->second;
}

std::int64_t ZabWorld::server_of(zab::LearnerId link) const {
  for (const auto& [id, each] : servers_) {
    if (each.link == link) return id;
  }
  return -1;
}

// ---- the shell's part -----------------------------------------------------------------------------------

void ZabWorld::settle() {
  for (bool more = true; more;) {
    more = leader_ != nullptr && settle_leader();
    for (auto& [id, each] : servers_) more = settle_learner(id, each) || more;
  }
}

bool ZabWorld::settle_leader() {
  const bool any = leader_->has_effects();
  for (const zab::LeaderEffect& effect : leader_->take_effects()) perform(effect);
  return any;
}

bool ZabWorld::settle_learner(std::int64_t id, Server& at) {
  if (at.learner == nullptr) return false;
  bool any = false;
  while (at.learner->reading()) {
    const auto packet = at.heard->next();
    if (!packet) throw Fault(packet.error().context);
    if (!*packet) break;
    if (at.heard->in_snapshot()) at.heard->end_snapshot();
    at.learner->on_packet(**packet, now_);
    any = true;
  }
  any = any || at.learner->has_effects();
  for (const zab::LearnerEffect& effect : at.learner->take_effects()) perform(id, at, effect);
  return any;
}

void ZabWorld::at_disk(std::int64_t id, std::function<void()> work) {
  Server& at = server(id);
  if (at.slow) {
    at.disk.push_back(std::move(work));
  } else {
    work();
  }
}

void ZabWorld::append(Server& at, const records::TxnBatch& batch) {
  Zxid zxid = batch.first;
  batch.for_each([&](std::string_view payload) {
    at.log.push_back(TxnRef{zxid, bytes::Slice::own(std::string(payload))});
    zxid = zxid == batch.last ? zxid : at.log.back().zxid.next();
  });
}

void ZabWorld::hand_over(std::int64_t from, std::int64_t to, std::string_view bytes) {
  const bool up = to == leading_;
  records::QuorumPacketDecoder decoder(kDataMax);
  decoder.feed(bytes);
  std::string line;
  while (const auto packet = *decoder.next()) {
    line += (line.empty() ? "" : ", ") + printed(*packet);
    if (decoder.in_snapshot()) decoder.end_snapshot();
  }
  say(fmt::format("{} to {}: {}", from, to, line));
  if (!up) {
    server(to).heard->feed(bytes);
    return;
  }
  auto& heard = *heard_by_leader_.at(from);
  heard.feed(bytes);
  while (const auto packet = *heard.next()) leader_->on_packet(*server(from).link, *packet, now_);
}

void ZabWorld::perform(const zab::LeaderEffect& effect) {
  const std::int64_t id = leading_;
  if (const auto* send = std::get_if<zab::SendToLearner>(&effect)) {
    if (const std::int64_t to = server_of(send->to); to >= 0) hand_over(id, to, send->bytes);
    return;
  }
  if (const auto* accepted = std::get_if<zab::PersistAcceptedEpoch>(&effect)) {
    at_disk(id, [this, id, epoch = accepted->epoch] {
      say(fmt::format("{} accepted epoch {} is durable", id, epoch));
      server(id).accepted_epoch = epoch;
      leader_->on_accepted_epoch_durable(epoch, now_);
    });
  } else if (const auto* current = std::get_if<zab::PersistCurrentEpoch>(&effect)) {
    at_disk(id, [this, id, epoch = current->epoch] {
      say(fmt::format("{} current epoch {} is durable", id, epoch));
      server(id).current_epoch = epoch;
      leader_->on_current_epoch_durable(epoch, now_);
    });
  } else if (const auto* persist = std::get_if<zab::Persist>(&effect)) {
    at_disk(id, [this, id, batch = persist->batch] {
      say(fmt::format("{} log up to {} is durable", id, short_zxid(batch->last)));
      append(server(id), *batch);
      leader_->on_durable(batch->last, now_);
    });
  } else if (const auto* read = std::get_if<zab::ReadLog>(&effect)) {
    read_log(*read);
  } else if (const auto* snapshot = std::get_if<zab::SendSnapshot>(&effect)) {
    say(fmt::format("{} to {}: the tree", id, server_of(snapshot->to)));
    leader_->on_snapshot_sent(snapshot->to, now_);
  } else if (const auto* close = std::get_if<zab::CloseLearner>(&effect)) {
    const std::int64_t gone = server_of(close->learner);
    say(fmt::format("{} closes {}: {}", id, gone, close->reason));
    if (gone >= 0) {
      server(gone).link.reset();
      if (server(gone).learner != nullptr)
        server(gone).learner->on_disconnected("the leader has closed", now_);
    }
  } else if (const auto* commit = std::get_if<zab::Commit>(&effect)) {
    say(fmt::format("{} commits up to {}", id, short_zxid(commit->through)));
  } else if (std::holds_alternative<zab::StartLeading>(effect)) {
    say(fmt::format("{} leads", id));
  } else if (const auto* down = std::get_if<zab::StepDown>(&effect)) {
    say(fmt::format("{} steps down: {}", id, down->reason));
  } else {
    say(fmt::format("{} {}", id, zab::printed(effect)));
  }
}

void ZabWorld::perform(std::int64_t id, Server& at, const zab::LearnerEffect& effect) {
  if (const auto* send = std::get_if<zab::SendToLeader>(&effect)) {
    if (at.link) hand_over(id, leading_, send->bytes);
    return;
  }
  if (const auto* accepted = std::get_if<zab::PersistAcceptedEpoch>(&effect)) {
    at_disk(id, [this, id, &at, epoch = accepted->epoch] {
      say(fmt::format("{} accepted epoch {} is durable", id, epoch));
      at.accepted_epoch = epoch;
      at.learner->on_accepted_epoch_durable(epoch, now_);
    });
  } else if (const auto* current = std::get_if<zab::PersistCurrentEpoch>(&effect)) {
    at_disk(id, [this, id, &at, epoch = current->epoch] {
      say(fmt::format("{} current epoch {} is durable", id, epoch));
      at.current_epoch = epoch;
      at.learner->on_current_epoch_durable(epoch, now_);
    });
  } else if (const auto* persist = std::get_if<zab::Persist>(&effect)) {
    at_disk(id, [this, id, &at, batch = persist->batch] {
      say(fmt::format("{} log up to {} is durable", id, short_zxid(batch->last)));
      append(at, *batch);
      at.learner->on_durable(batch->last, now_);
    });
  } else if (const auto* cut = std::get_if<zab::Truncate>(&effect)) {
    at_disk(id, [this, id, &at, zxid = cut->zxid] {
      say(fmt::format("{} cuts its log behind {}", id, short_zxid(zxid)));
      std::erase_if(at.log, [zxid](const TxnRef& txn) { return txn.zxid > zxid; });
      at.learner->on_truncated(at.last(), now_);
    });
  } else if (const auto* install = std::get_if<zab::InstallSnapshot>(&effect)) {
    at_disk(id, [this, id, &at, zxid = install->zxid] {
      say(fmt::format("{} snapshot {} is durable", id, short_zxid(zxid)));
      at.log.clear();
      at.snapshot = zxid;
      at.learner->on_snapshot_installed(zxid, now_);
    });
  } else if (const auto* apply = std::get_if<zab::Apply>(&effect)) {
    say(fmt::format("{} applies up to {}", id, short_zxid(apply->txns.back().zxid)));
  } else if (std::holds_alternative<zab::StartFollowing>(effect)) {
    say(fmt::format("{} serves", id));
  } else if (const auto* ping = std::get_if<zab::PingAsked>(&effect)) {
    at.learner->answer_ping(ping->zxid, {});
  } else if (const auto* over = std::get_if<zab::Abandon>(&effect)) {
    say(fmt::format("{} abandons the leader: {}", id, over->reason));
    if (at.link) leader_->on_closed(*at.link, now_);
    at.link.reset();
  } else {
    say(fmt::format("{} {}", id, zab::printed(effect)));
  }
}

// From the last transaction at or before the learner's.
void ZabWorld::read_log(const zab::ReadLog& request) {
  say(fmt::format("{} reads its log from {}", leading_, short_zxid(request.from)));
  zab::LogChunk chunk{.available = false, .last = true, .txns = {}};
  for (const TxnRef& txn : server(leading_).log) {
    if (txn.zxid <= request.from) {
      chunk.txns.clear();
      chunk.available = true;
    }
    if (chunk.available && txn.zxid <= request.through) chunk.txns.push_back(txn);
  }
  leader_->on_log_chunk(request.to, std::move(chunk), now_);
}

std::string ZabWorld::printed(const records::QuorumPacket& packet) const {
  std::string out = records::to_string(packet.type);
  if (packet.type != PacketType::up_to_date) out += " " + short_zxid(packet.zxid);
  if (packet.type == PacketType::ack_epoch)
    out += fmt::format(" epoch {}", *records::decode_i32(packet.data));
  return out;
}

}  // namespace tandem::transcript
