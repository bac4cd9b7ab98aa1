#include "broker/api/group_service.h"

#include "broker/record/builder.h"

namespace tandem::broker::api {

namespace {

constexpr std::size_t kHome = 0;

}  // namespace

struct GroupService::Core {
  using Done = std::variant<OnJoin, OnSync, OnCommit>;

  Core(net::Loop& loop, const Options& options, std::function<void()> on_due)
      : coordinator(options.core, base::Random(options.seed)), timer(loop, std::move(on_due)) {}

  group::Ticket await(Done done) {
    waiting.emplace(++last_ticket, std::move(done));
    return group::Ticket(last_ticket);
  }

  group::GroupCoordinator coordinator;
  net::Timer timer;
  std::map<std::uint64_t, Done> waiting;
  std::uint64_t last_ticket = 0;
  std::map<std::int32_t, std::uint64_t> terms;  // of each partition: raised with every change of leadership
};

// Waits until the high watermark covers the batch.
class GroupService::Commit final : public Waiter,
                                   public Delayed,
                                   public std::enable_shared_from_this<Commit> {
 public:
  Commit(GroupService& service, std::uint64_t id, std::int64_t last_offset)
      : service_(service), id_(id), last_offset_(last_offset) {}

  bool on_change(Replica& replica) override {
    if (done_) return true;
    const auto error = replica.core.check_leader();
    if (error == protocol::ErrorCode::none && replica.core.high_watermark() <= last_offset_) return false;
    finish(error);
    return true;
  }
  bool is_done() override { return done_; }
  void on_deadline() override { finish(protocol::ErrorCode::request_timed_out); }

 private:
  void finish(protocol::ErrorCode error) {
    if (done_) return;
    done_ = true;
    service_.appended(id_, error);
  }

  GroupService& service_;
  std::uint64_t id_;
  std::int64_t last_offset_;
  bool done_ = false;
};

GroupService::GroupService(const base::Clock& clock, logging::Logger log, Shards& shards, Replicas& replicas,
                           Options options)
    : clock_(clock),
      log_(std::move(log)),
      shards_(shards),
      replicas_(replicas),
      options_(std::move(options)),
      core_(std::make_unique<Core>(shards.loop(kHome), options_,
                                   [this] {
                                     run_here([](group::GroupCoordinator& core, group::Now now) {
                                       core.on_deadline(now);
                                     });
                                   })),
      loader_("group-load", 1) {}

GroupService::~GroupService() = default;

void GroupService::start() {
  run([](group::GroupCoordinator& core, group::Now now) { core.start(now); });
}

void GroupService::run(Task task) {
  if (shards_.current() == kHome) return run_here(task);
  shards_.post(kHome, [this, task = std::move(task)] { run_here(task); });
}

void GroupService::run_here(const Task& task) {
  task(core_->coordinator, now());
  perform();
  core_->timer.set(core_->coordinator.next_deadline());
}

void GroupService::join(group::Caller caller, protocol::JoinGroupRequest request, std::int16_t version,
                        OnJoin done) {
  run([this, caller = std::move(caller), request = std::move(request), version, done = std::move(done)](
          group::GroupCoordinator& core, group::Now now) {
    core.join(core_->await(done), caller, request, version, now);
  });
}

void GroupService::sync(protocol::SyncGroupRequest request, OnSync done) {
  run([this, request = std::move(request), done = std::move(done)](
          group::GroupCoordinator& core, group::Now now) { core.sync(core_->await(done), request, now); });
}

void GroupService::commit(protocol::OffsetCommitRequest request, std::int16_t version, OnCommit done) {
  run([this, request = std::move(request), version, done = std::move(done)](group::GroupCoordinator& core,
                                                                            group::Now now) {
    core.commit(core_->await(done), request, version, now);
  });
}

void GroupService::perform() {
  for (auto& effect : core_->coordinator.take()) {
    if (auto* to_append = std::get_if<group::Append>(&effect)) {
      append(std::move(*to_append));
      continue;
    }
    auto& reply = std::get<group::Reply>(effect);
    auto waiting = core_->waiting.extract(reply.ticket.value);
    if (waiting.empty()) continue;
    std::visit(
        [&](auto& response) {
          using Response = std::decay_t<decltype(response)>;
          std::get<std::function<void(Response)>>(waiting.mapped())(std::move(response));
        },
        reply.response);
  }
}

void GroupService::append(group::Append append) {
  const std::size_t owner = replicas_.owner(kOffsetsTopic, append.partition);
  if (owner == shards_.current()) return append_at_owner(append);
  shards_.post(owner, [this, append = std::move(append)] { append_at_owner(append); });
}

void GroupService::append_at_owner(const group::Append& append) {
  Replica* replica = replicas_.find(kOffsetsTopic, append.partition);
  if (replica == nullptr) return appended(append.id, protocol::ErrorCode::not_leader_or_follower);
  record::BatchBuilder builder({});
  for (const auto& record : append.records) {
    const auto value = record.value ? record::Bytes(*record.value) : std::nullopt;
    builder.append(clock_.wall().ms, record.key, value);
  }
  const auto batch = builder.finish();
  if (!batch) return appended(append.id, protocol::ErrorCode::unknown_server_error);
  const Appended outcome = replica->append({*batch, -1, record::Origin::coordinator});
  if (!outcome.ok()) {
    log_.warn("cannot append {} group records to {}-{}: {}", append.records.size(), kOffsetsTopic,
              append.partition, to_string(outcome.error));
    return appended(append.id, outcome.error);
  }
  if (replica->core.high_watermark() > outcome.last_offset)
    return appended(append.id, protocol::ErrorCode::none);
  auto waiter = std::make_shared<Commit>(*this, append.id, outcome.last_offset);
  replica->wait(waiter);
  replicas_.delays(replica->shard).add(clock_.now() + options_.commit_timeout, waiter);
}

void GroupService::appended(std::uint64_t id, protocol::ErrorCode error) {
  // Never inside perform(): the core's effects leave in order.
  shards_.post(kHome, [this, id, error] {
    run_here(
        [id, error](group::GroupCoordinator& core, group::Now now) { core.on_appended(id, error, now); });
  });
}

void GroupService::on_topic_deleted(const std::string& topic) {
  run([topic](group::GroupCoordinator& core, group::Now) { core.on_topic_deleted(topic); });
}

// ---- loading ----

struct GroupService::Load {
  struct Entry {
    std::string key;
    std::optional<std::string> value;
  };
  std::int32_t partition = 0;
  std::uint64_t term = 0;
  std::int64_t offset = -1;  // -1: the log's start
  std::int64_t end = 0;
  log::ReadRange range;
  base::Status read;  // of the range
  std::vector<Entry> entries;
  std::size_t count = 0;
};

// Waits until the high watermark covers what was loaded, or the term is over.
class GroupService::Settling final : public Waiter {
 public:
  Settling(GroupService& service, std::shared_ptr<Load> load, std::int32_t leader_epoch)
      : service_(service), load_(std::move(load)), leader_epoch_(leader_epoch) {}

  bool on_change(Replica& replica) override {
    if (!replica.core.is_leader() || replica.core.leader_epoch() != leader_epoch_) return true;
    if (replica.core.high_watermark() < load_->end) return false;
    service_.settled(load_);
    return true;
  }
  bool is_done() override { return false; }

 private:
  GroupService& service_;
  std::shared_ptr<Load> load_;
  std::int32_t leader_epoch_;
};

void GroupService::on_leadership(Replica& replica, bool leader) {
  if (replica.topic != kOffsetsTopic) return;
  const std::int32_t partition = replica.partition;
  run([this, partition, leader](group::GroupCoordinator& core, group::Now now) {
    const std::uint64_t term = ++core_->terms[partition];
    core.unload(partition, now);
    if (!leader) return;
    core.begin_load(partition);
    auto load = std::make_shared<Load>();
    load->partition = partition;
    load->term = term;
    load_next(std::move(load));
  });
}

// On the home thread: the next stretch is read where the partition lives.
void GroupService::load_next(std::shared_ptr<Load> load) {
  shards_.post(replicas_.owner(kOffsetsTopic, load->partition), [this, load] { read_at_owner(load); });
}

void GroupService::read_at_owner(std::shared_ptr<Load> load) {
  constexpr std::uint64_t kStretchBytes = 4 << 20;
  Replica* replica = replicas_.find(kOffsetsTopic, load->partition);
  if (replica == nullptr) return;  // no longer here: on_leadership() has told the core, or will
  if (load->offset < 0) {
    load->offset = replica->log->start_offset();
    load->end = replica->log->end_offset();
  }
  // What is there and cannot be read may be the newest commit of all: who does not know it must not serve.
  if (!load->read) return replicas_.on_log_failure(*replica, load->read.error());
  load->range = {};
  if (load->offset < load->end) {
    auto range = replica->log->read(load->offset, kStretchBytes, load->end, true);
    if (range) {
      load->range = std::move(*range);
    } else if (range.error().code == base::Errc::io) {
      return replicas_.on_log_failure(*replica, range.error());
    } else {
      const bool rotted = range.error().code == base::Errc::corrupt && !replica->log->failed();
      if (rotted) replicas_.on_damage(*replica, load->offset, range.error());
      // Who has it all is to lead. Where nobody else has it, what can be read is better than nothing.
      if (replica->log->failed()) return;
      log_.error("loading {}-{} stops at offset {}: {}", kOffsetsTopic, load->partition, load->offset,
                 range.error().context);
    }
  }
  loader_.run([this, load] {
    decode(*load);
    shards_.post(kHome, [this, load] { replay(load); });
  });
}

void GroupService::decode(Load& load) {
  load.entries.clear();
  std::string bytes(load.range.size, '\0');
  if (load.range.file) {
    const auto got = load.range.file->pread(load.range.position, bytes);
    if (!got) load.read = got.error();
    bytes.resize(got ? *got : 0);
  }
  record::BatchCursor cursor(bytes);
  while (cursor.next()) {
    const auto& batch = cursor.batch();
    load.offset = std::max(load.offset, batch.next_offset());
    if (batch.control()) continue;
    record::RecordReader reader(batch);
    record::RecordView record;
    while (reader.next(record)) {
      if (!record.key) continue;
      load.entries.push_back({std::string(*record.key), std::nullopt});
      if (record.value) load.entries.back().value = std::string(*record.value);
    }
    if (reader.error()) {
      log_.error("a batch of {}-{} before offset {} cannot be read: {}", kOffsetsTopic, load.partition,
                 load.offset, reader.error()->context);
    }
  }
  load.range.size = cursor.consumed();  // 0: the end
}

void GroupService::replay(std::shared_ptr<Load> load) {
  run_here([&](group::GroupCoordinator& core, group::Now) {
    if (core_->terms[load->partition] != load->term) return;
    for (const auto& entry : load->entries) {
      const auto value = entry.value ? std::optional<std::string_view>(*entry.value) : std::nullopt;
      if (const auto status = core.replay(load->partition, entry.key, value); !status) {
        log_.warn("skipping a record of {}-{}: {}", kOffsetsTopic, load->partition, status.error().context);
      }
    }
    load->count += load->entries.size();
    if (!load->read || (load->range.size > 0 && load->offset < load->end)) return load_next(load);
    settle(load);
  });
}

// Nobody hears of what was loaded before it is committed: the next leader may not have it.
void GroupService::settle(std::shared_ptr<Load> load) {
  shards_.post(replicas_.owner(kOffsetsTopic, load->partition), [this, load] {
    Replica* replica = replicas_.find(kOffsetsTopic, load->partition);
    if (replica == nullptr) return;  // no longer here: on_leadership() has told the core, or will
    auto settling = std::make_shared<Settling>(*this, load, replica->core.leader_epoch());
    if (!settling->on_change(*replica)) replica->wait(std::move(settling));
  });
}

void GroupService::settled(std::shared_ptr<Load> load) {
  run([this, load](group::GroupCoordinator& core, group::Now now) {
    if (core_->terms[load->partition] != load->term) return;
    core.end_load(load->partition, now);
    log_.info("loaded {} records of {}-{}", load->count, kOffsetsTopic, load->partition);
  });
}

}  // namespace tandem::broker::api
