// __consumer_offsets: any records are loaded, skipped or refused; a coordinator that has loaded them serves,
// lets members and offsets expire, and what it then writes reads back the same. Input: per record a byte (low
// bit: no value), the length of the key (u8) and of the value (u8), both.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "broker/group/coordinator.h"
#include "broker/group/group_records.h"

using namespace tandem;
using namespace tandem::broker::group;

namespace {

constexpr int kRounds = 40;

struct Input {
  std::string_view bytes;

  std::size_t number() {
    if (bytes.empty()) return 0;
    const auto out = static_cast<std::uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    return out;
  }
  std::string_view take(std::size_t count) {
    const auto out = bytes.substr(0, count);
    bytes.remove_prefix(out.size());
    return out;
  }
};

void check_round_trip(const Stored& stored) {
  const auto* commit = std::get_if<StoredCommit>(&stored);
  if (commit == nullptr || !commit->value) return;
  const Record written = commit_record(commit->group, commit->at, *commit->value);
  const auto again = read_record(written.key, written.value);
  ENSURE(again.has_value(), "a commit that was written is read");
  const auto& copy = std::get<StoredCommit>(*again);
  ENSURE(copy.group == commit->group && copy.at == commit->at && copy.value.has_value());
  ENSURE(copy.value->offset == commit->value->offset && copy.value->metadata == commit->value->metadata);
}

void expire_all(GroupCoordinator& coordinator, Now now) {
  for (int i = 0; i < kRounds; ++i) {
    for (const Effect& effect : coordinator.take()) {
      const auto* append = std::get_if<Append>(&effect);
      if (append == nullptr) continue;
      for (const Record& record : append->records)
        ENSURE(read_record(record.key, record.value).has_value(), "what the coordinator writes is read");
      coordinator.on_appended(append->id, ErrorCode::none, now);
    }
    const auto next = coordinator.next_deadline();
    if (!next) return;
    now.wall.ms += std::chrono::duration_cast<milliseconds>(*next - now.instant).count();
    now.instant = *next;
    coordinator.on_deadline(now);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input{std::string_view(reinterpret_cast<const char*>(data), size)};
  Now now{base::Instant(std::chrono::seconds(1000)), base::WallTime{1'700'000'000'000}};
  GroupOptions options;
  options.partitions = 1;
  GroupCoordinator coordinator(options, base::Random(1));
  coordinator.begin_load(0);
  while (!input.bytes.empty()) {
    const bool tombstone = input.number() % 2 != 0;
    const auto key_size = input.number();
    const auto value_size = input.number();
    const auto key = input.take(key_size);
    const auto rest = input.take(value_size);
    const auto value = tombstone ? std::nullopt : std::optional(rest);
    if (const auto stored = read_record(key, value)) check_round_trip(*stored);
    static_cast<void>(coordinator.replay(0, key, value));
  }
  coordinator.end_load(0, now);
  coordinator.start(now);
  for (const auto& group : coordinator.list({}).groups)
    static_cast<void>(coordinator.describe(group.group_id));
  expire_all(coordinator, now);
  return 0;
}
