#include "tests/transcript/group/world.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace tandem::transcript {

using broker::group::Append;
using broker::group::Record;
using broker::group::Ticket;
using broker::protocol::ErrorCode;
using std::chrono::milliseconds;

namespace protocol = broker::protocol;
namespace group = broker::group;

namespace {

constexpr const char* kGroup = "g";

ErrorCode error_named(const std::string& name) {
  for (const auto& info : protocol::all_errors()) {
    if (info.name == name) return info.code;
  }
  throw Fault(fmt::format("no error is called '{}'", name));
}

// "t-0" -> t, 0
std::pair<std::string, std::int32_t> partition_of(const std::string& text) {
  const auto dash = text.rfind('-');
  if (dash == std::string::npos) throw Fault(fmt::format("'{}' is not a partition such as t-0", text));
  return {text.substr(0, dash), static_cast<std::int32_t>(number_of(text.substr(dash + 1)))};
}

}  // namespace

GroupWorld::GroupWorld() {
  make_coordinator();
  on("join", [this](const Command& c) { join(c); });
  on("sync", [this](const Command& c) { sync(c); });
  on("heartbeat", [this](const Command& c) { heartbeat(c); });
  on("leave", [this](const Command& c) { leave(c); });
  on("commit", [this](const Command& c) { commit(c); });
  on("fetch", [this](const Command& c) { fetch(c); });
  on("describe", [this](const Command&) { describe(); });
  on("list", [this](const Command& c) { list(c); });
  on("delete-offsets", [this](const Command& c) { delete_offsets(c); });
  on("delete-group", [this](const Command&) {
    say(fmt::format("{}", coordinator_->delete_group(kGroup, now())));
    drain();
  });
  on("topic-deleted", [this](const Command& c) {
    coordinator_->on_topic_deleted(c.word(0));
    drain();
  });
  on("durable", [this](const Command& c) { settle(c); });
  on("pass", [this](const Command& c) { pass(c.time(0)); });
  on("forget", [this](const Command& c) { clients_.erase(c.word(0)); });
  on("options", [this](const Command& c) {
    options_.size_max = static_cast<std::size_t>(c.option("max-size", INT32_MAX));
    options_.initial_rebalance_delay = c.option("initial-delay", milliseconds(3000));
    make_coordinator();
  });
  on("restart", [this](const Command&) {
    make_coordinator();
    drain();
  });
  on("unload", [this](const Command&) {
    coordinator_->unload(group::partition_of(kGroup, options_.partitions), now());
    drain();
  });
  on("begin-load",
     [this](const Command&) { coordinator_->begin_load(group::partition_of(kGroup, options_.partitions)); });
  on("end-load", [this](const Command&) {
    load();
    drain();
  });
}

void GroupWorld::make_coordinator() {
  appends_.clear();
  asked_.clear();
  coordinator_.emplace(options_, base::Random(1));
  coordinator_->begin_load(group::partition_of(kGroup, options_.partitions));
  load();
  coordinator_->start(now());
}

void GroupWorld::load() {
  const auto partition = group::partition_of(kGroup, options_.partitions);
  for (const auto& record : log_) {
    const auto value = record.value ? std::optional<std::string_view>(*record.value) : std::nullopt;
    if (!coordinator_->replay(partition, record.key, value).has_value())
      throw Fault("a record cannot be replayed");
  }
  coordinator_->end_load(partition, now());
}

// ---- names ----

// An id is the client's own name, or its instance's, and something random. The first id of a client is
// printed as its name, the next one with a stroke.
std::string GroupWorld::name_of(const std::string& id) {
  constexpr std::size_t kRandomPart = 37;
  const auto found = names_.find(id);
  if (found != names_.end() || id.size() <= kRandomPart) return found == names_.end() ? id : found->second;
  std::string name = id.substr(0, id.size() - kRandomPart);
  for (const auto& [other, member] : clients_) {
    if (member.instance == name) name = other;
  }
  const auto taken = [&](const auto& known) { return known.second == name; };
  while (std::any_of(names_.begin(), names_.end(), taken)) name += "'";
  return names_[id] = name;
}

Ticket GroupWorld::ticket(const Command& command, const std::string& what) {
  asked_[++last_ticket_] = {command.word(0), what};
  return Ticket(last_ticket_);
}

// ---- requests ----

// join CLIENT [version=9] [session=10s] [rebalance=60s] [type=consumer] [protocols=range:SUBSCRIPTION,...]
// [instance=I] [id=ID]
void GroupWorld::join(const Command& command) {
  auto& member = client(command.word(0));
  const auto instance = command.option("instance", "");
  if (!instance.empty()) member.instance = instance;
  protocol::JoinGroupRequest request;
  request.group_id = kGroup;
  request.member_id = command.option("id", member.id);
  request.group_instance_id = member.instance;
  request.session_timeout_ms =
      static_cast<std::int32_t>(command.option("session", milliseconds(10'000)).count());
  request.rebalance_timeout_ms =
      static_cast<std::int32_t>(command.option("rebalance", milliseconds(60'000)).count());
  request.protocol_type = command.option("type", "consumer");
  for (const auto& entry : split(command.option("protocols", "range:" + command.word(0)), ',')) {
    const auto parts = split(entry, ':');
    request.protocols.push_back({parts.at(0), {parts.size() > 1 ? parts[1] : ""}});
  }
  coordinator_->join(ticket(command, "join"), {command.word(0), "/127.0.0.1"}, request,
                     static_cast<std::int16_t>(command.option("version", 9)), now());
  drain();
}

void GroupWorld::tell(const Asked& asked, const protocol::JoinGroupResponse& response) {
  auto& member = client(asked.client);
  if (response.error_code == ErrorCode::member_id_required) {
    member.id = response.member_id;
    say(fmt::format("{} join: {}, is now {}", asked.client, response.error_code, name_of(member.id)));
    return;
  }
  if (response.error_code != ErrorCode::none) {
    say(fmt::format("{} join: {}", asked.client, response.error_code));
    return;
  }
  member.id = response.member_id;
  member.generation = response.generation_id;
  std::string members;
  for (const auto& known : response.members) {
    members += fmt::format("{}{}:{}", members.empty() ? " members=" : ",", name_of(known.member_id),
                           known.metadata.data);
  }
  say(fmt::format("{} join: {} in generation {}, {} led by {}{}{}", asked.client, name_of(member.id),
                  response.generation_id, response.protocol_name.value_or("(none)"), name_of(response.leader),
                  members, response.skip_assignment ? ", skips the assignment" : ""));
}

// sync CLIENT [generation=N] [OTHER=ASSIGNMENT...]
void GroupWorld::sync(const Command& command) {
  const auto& member = client(command.word(0));
  protocol::SyncGroupRequest request;
  request.group_id = kGroup;
  request.member_id = member.id;
  request.group_instance_id = member.instance;
  request.generation_id = static_cast<std::int32_t>(command.option("generation", member.generation));
  for (const auto& [name, assignment] : command.options()) {
    if (name != "generation") request.assignments.push_back({client(name).id, {assignment}});
  }
  coordinator_->sync(ticket(command, "sync"), request, now());
  drain();
}

void GroupWorld::tell(const Asked& asked, const protocol::SyncGroupResponse& response) {
  say(response.error_code == ErrorCode::none
          ? fmt::format("{} sync: '{}'", asked.client, response.assignment.data)
          : fmt::format("{} sync: {}", asked.client, response.error_code));
}

// heartbeat CLIENT [generation=N] [id=NAME OF AN OLD ID]
void GroupWorld::heartbeat(const Command& command) {
  const auto& member = client(command.word(0));
  protocol::HeartbeatRequest request;
  request.group_id = kGroup;
  request.member_id = member.id;
  const auto other = command.option("id", "");
  for (const auto& [id, name] : names_) {
    if (name == other) request.member_id = id;
  }
  request.group_instance_id = member.instance;
  request.generation_id = static_cast<std::int32_t>(command.option("generation", member.generation));
  say(fmt::format("{} heartbeat: {}", command.word(0), coordinator_->heartbeat(request, now())));
  drain();
}

// leave CLIENT..., or leave instance=I
void GroupWorld::leave(const Command& command) {
  protocol::LeaveGroupRequest request;
  request.group_id = kGroup;
  for (const auto& name : command.words()) {
    auto& leaving = request.members.emplace_back();
    leaving.member_id = client(name).id;
    leaving.group_instance_id = client(name).instance;
  }
  const auto instance = command.option("instance", "");
  if (!instance.empty()) request.members.emplace_back().group_instance_id = instance;
  const auto response = coordinator_->leave(request, 5, now());
  for (const auto& left : response.members) {
    const auto who =
        left.member_id.empty() ? left.group_instance_id.value_or("nobody") : name_of(left.member_id);
    say(fmt::format("{} leave: {}", who, left.error_code));
  }
  drain();
}

// commit CLIENT t-0=42... [generation=N] [retention=1s] [version=9]; a client that never joined commits by
// itself
void GroupWorld::commit(const Command& command) {
  const auto& member = client(command.word(0));
  protocol::OffsetCommitRequest request;
  request.group_id = kGroup;
  request.member_id = member.id;
  request.group_instance_id = member.instance;
  request.generation_id_or_member_epoch =
      static_cast<std::int32_t>(command.option("generation", member.generation));
  const auto retention = command.option("retention", milliseconds(-1));
  request.retention_time_ms = retention.count();
  for (const auto& [key, value] : command.options()) {
    if (key == "generation" || key == "retention" || key == "version") continue;
    const auto [topic, partition] = partition_of(key);
    request.topics.push_back({topic, {{partition, number_of(value), -1, -1, std::nullopt}}});
  }
  const auto version = command.option("version", retention.count() >= 0 ? 4 : 9);
  coordinator_->commit(ticket(command, "commit"), request, static_cast<std::int16_t>(version), now());
  drain();
}

void GroupWorld::tell(const Asked& asked, const protocol::OffsetCommitResponse& response) {
  for (const auto& topic : response.topics) {
    for (const auto& p : topic.partitions) {
      say(fmt::format("{} commit {}-{}: {}", asked.client, topic.name, p.partition_index, p.error_code));
    }
  }
}

// fetch [t-0...]
void GroupWorld::fetch(const Command& command) {
  protocol::OffsetFetchRequest::OffsetFetchRequestGroup request;
  request.group_id = kGroup;
  for (const auto& word : command.words()) {
    const auto [topic, partition] = partition_of(word);
    if (!request.topics) request.topics.emplace();
    request.topics->push_back({topic, {partition}});
  }
  const auto response = coordinator_->fetch(request);
  if (response.error_code != ErrorCode::none) say(fmt::format("{}", response.error_code));
  std::size_t count = 0;
  for (const auto& topic : response.topics) {
    for (const auto& p : topic.partitions) {
      ++count;
      say(fmt::format("{}-{} at {}", topic.name, p.partition_index, p.committed_offset));
    }
  }
  if (count == 0 && response.error_code == ErrorCode::none) say("no offsets");
}

void GroupWorld::describe() {
  const auto described = coordinator_->describe(kGroup);
  if (described.error_code != ErrorCode::none) return say(fmt::format("{}", described.error_code));
  std::vector<std::string> members;
  for (const auto& member : described.members) {
    members.push_back(fmt::format("{}{}:'{}'", name_of(member.member_id),
                                  member.group_instance_id ? "(" + *member.group_instance_id + ")" : "",
                                  member.member_assignment.data));
  }
  std::sort(members.begin(), members.end());
  say(fmt::format("{}{}{}{}", described.group_state,
                  described.protocol_data.empty() ? "" : " " + described.protocol_data,
                  members.empty() ? "" : " ", fmt::join(members, " ")));
}

void GroupWorld::list(const Command& command) {
  protocol::ListGroupsRequest request;
  request.states_filter = command.words();
  const auto listed = coordinator_->list(request);
  for (const auto& found : listed.groups) say(fmt::format("{} {}", found.group_id, found.group_state));
  if (listed.groups.empty()) say("no groups");
}

void GroupWorld::delete_offsets(const Command& command) {
  protocol::OffsetDeleteRequest request;
  request.group_id = kGroup;
  for (const auto& word : command.words()) {
    const auto [topic, partition] = partition_of(word);
    request.topics.push_back({topic, {{partition}}});
  }
  const auto response = coordinator_->delete_offsets(request);
  if (response.error_code != ErrorCode::none) say(fmt::format("{}", response.error_code));
  for (const auto& topic : response.topics) {
    for (const auto& p : topic.partitions)
      say(fmt::format("{}-{}: {}", topic.name, p.partition_index, p.error_code));
  }
  drain();
}

// ---- the shell's part ----

// durable [error=NAME]: every append under way has ended so.
void GroupWorld::settle(const Command& command) {
  const auto error = error_named(command.option("error", "NONE"));
  if (appends_.empty()) say("nothing is under way");
  while (!appends_.empty()) {
    const Append append = std::move(appends_.front());
    appends_.erase(appends_.begin());
    if (error == ErrorCode::none) log_.insert(log_.end(), append.records.begin(), append.records.end());
    coordinator_->on_appended(append.id, error, now());
    drain();
  }
}

void GroupWorld::pass(milliseconds time) {
  const auto end = clock_.now() + time;
  while (coordinator_->next_deadline() && *coordinator_->next_deadline() <= end) {
    const auto due = *coordinator_->next_deadline();
    if (due > clock_.now()) clock_.advance(due - clock_.now());
    coordinator_->on_deadline(now());
    drain();
  }
  if (end > clock_.now()) clock_.advance(end - clock_.now());
}

void GroupWorld::drain() {
  for (auto& effect : coordinator_->take()) {
    if (auto* append = std::get_if<Append>(&effect)) {
      for (const auto& record : append->records) say("append: " + text(record));
      appends_.push_back(std::move(*append));
      continue;
    }
    const auto& reply = std::get<group::Reply>(effect);
    const auto asked = asked_.extract(reply.ticket.value);
    if (asked.empty()) throw Fault("a reply to nobody");
    std::visit([&](const auto& response) { tell(asked.mapped(), response); }, reply.response);
  }
}

std::string GroupWorld::text(const Record& record) {
  const auto value = record.value ? std::optional<std::string_view>(*record.value) : std::nullopt;
  const auto stored = group::read_record(record.key, value);
  if (!stored.has_value()) throw Fault("an append that cannot be read");
  if (const auto* commit = std::get_if<group::StoredCommit>(&*stored)) {
    const auto at = fmt::format("{}-{}", commit->at.topic, commit->at.partition);
    return commit->value ? fmt::format("offset {} = {}", at, commit->value->offset)
                         : "offset " + at + " deleted";
  }
  const auto* of_group = std::get_if<group::StoredGroup>(&*stored);
  if (of_group == nullptr || !of_group->value) return "group deleted";
  std::vector<std::string> members;
  for (const auto& member : of_group->value->members) {
    members.push_back(fmt::format(" {}:'{}'", name_of(member.id), member.assignment));
  }
  std::sort(members.begin(), members.end());
  return fmt::format("group generation {} {} leader={}{}", of_group->value->generation,
                     of_group->value->protocol_name.value_or("(no protocol)"),
                     of_group->value->leader ? name_of(*of_group->value->leader) : "(none)",
                     fmt::join(members, ""));
}

}  // namespace tandem::transcript
