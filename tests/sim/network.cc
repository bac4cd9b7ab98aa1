#include "tests/sim/network.h"

#include <algorithm>

namespace tandem::sim {

namespace {

constexpr Duration kRetry = milliseconds(20);

}  // namespace

Duration Network::delay() {
  const auto usual = static_cast<std::uint64_t>(latency_.count());
  Duration delay(static_cast<std::int64_t>(usual / 2 + random_.below(usual)));
  if (spikes_ > 0 && random_.chance(spikes_)) delay += milliseconds(random_.below(200));
  return delay;
}

ConnectionPtr Network::connect(End a, End b) {
  auto connection = std::make_shared<Connection>();
  connection->number_ = next_++;
  connection->ends[0] = std::move(a);
  connection->ends[1] = std::move(b);
  connection->patience = milliseconds(random_.between(3000, 15000));
  std::erase_if(connections_, [](const auto& weak) {
    const auto strong = weak.lock();
    return !strong || (!strong->open[0] && !strong->open[1]);
  });
  connections_.push_back(connection);
  return connection;
}

void Network::send(const ConnectionPtr& connection, int end, Item item) {
  if (!connection->open[end]) return;
  auto& direction = connection->directions[end];
  direction.last = std::max(direction.last, scheduler_.now() + delay());
  direction.queue.emplace_back(direction.last, std::move(item));
  if (std::exchange(direction.pumping, true)) return;
  scheduler_.at(direction.last, [this, connection, end] { pump(connection, end); });
}

void Network::pump(const ConnectionPtr& connection, int from) {
  auto& direction = connection->directions[from];
  direction.pumping = false;
  while (!direction.queue.empty()) {
    const int to = 1 - from;
    Instant again = direction.queue.front().first;
    const Instant awake = asleep_until(connection->ends[to].host);
    if (!reaches(connection->ends[from].host, connection->ends[to].host)) {
      if (!direction.stalled_since) direction.stalled_since = scheduler_.now();
      if (scheduler_.now() - *direction.stalled_since > connection->patience)
        return gone(connection, from, "timed out");
      again = scheduler_.now() + kRetry;
    } else {
      direction.stalled_since.reset();
      again = std::max(again, awake);
    }
    if (again > scheduler_.now()) {
      direction.pumping = true;
      scheduler_.at(again, [this, connection, from] { pump(connection, from); });
      return;
    }
    Item item = std::move(direction.queue.front().second);
    direction.queue.pop_front();
    deliver(connection, to, std::move(item));
  }
}

void Network::deliver(const ConnectionPtr& connection, int to, Item item) {
  if (!connection->open[to]) {  // nobody is there any more
    if (connection->open[1 - to] && !item.end)
      scheduler_.after(delay(), [this, connection, to] { gone(connection, 1 - to, "reset by peer"); });
    return;
  }
  if (item.end) return gone(connection, to, "end of stream");
  connection->ends[to].on_item(std::move(item));
}

void Network::gone(const ConnectionPtr& connection, int end, const std::string& reason) {
  if (!std::exchange(connection->open[end], false)) return;
  connection->directions[end].queue.clear();
  forget(connection, end);
  connection->ends[end].on_gone(reason);
}

// The callbacks hold on to the connection; they may be running.
void Network::forget(const ConnectionPtr& connection, int end) {
  scheduler_.after(Duration{0}, [connection, end] {
    connection->ends[end].on_item = nullptr;
    connection->ends[end].on_gone = nullptr;
  });
}

void Network::close(const ConnectionPtr& connection, int end) {
  if (!connection->open[end]) return;
  Item last;
  last.end = true;
  send(connection, end, std::move(last));
  connection->open[end] = false;
  forget(connection, end);
}

void Network::leave(int host, bool closes) {
  for (const auto& weak : connections_) {
    const ConnectionPtr connection = weak.lock();
    for (const int end : {0, 1}) {
      if (!connection || connection->ends[end].host != host) continue;
      closes ? close(connection, end) : vanish(connection, end);
    }
  }
}

void Network::vanish(const ConnectionPtr& connection, int end) {
  connection->open[end] = false;
  connection->directions[end].queue.clear();
  forget(connection, end);
}

void Network::reset(const ConnectionPtr& connection, const std::string& reason) {
  for (const int end : {0, 1}) {
    if (!connection->open[end]) continue;
    scheduler_.after(delay(), [this, connection, end, reason] { gone(connection, end, reason); });
  }
}

ConnectionPtr Network::any_connection() {
  std::vector<ConnectionPtr> open;
  for (const auto& weak : connections_)
    if (auto strong = weak.lock(); strong && strong->open[0] && strong->open[1])
      open.push_back(std::move(strong));
  if (open.empty()) return nullptr;
  return open[random_.below(open.size())];
}

std::uint64_t Network::fingerprint() const {
  std::uint64_t state = 1;
  const auto mix = [&state](std::uint64_t value) { state = (state ^ value) * 0x100000001b3ULL; };
  for (const auto& weak : connections_) {
    const ConnectionPtr connection = weak.lock();
    if (!connection || (!connection->open[0] && !connection->open[1])) continue;
    for (const int end : {0, 1}) {
      mix(static_cast<std::uint64_t>(connection->ends[end].host) * 2 + (connection->open[end] ? 1 : 0));
      for (const auto& [time, item] : connection->directions[end].queue)
        mix(std::hash<std::string>()(item.bytes) + (item.end ? 1 : 0));
    }
  }
  return state;
}

}  // namespace tandem::sim
