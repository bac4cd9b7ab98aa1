#include "tests/sim/brokers/process.h"

#include <charconv>
#include <utility>

namespace tandem::sim::brokers {

namespace {

constexpr std::int64_t kWallStart = 1'700'000'000'000;

}  // namespace

Process::Process(Surroundings& around, int host, base::Random random)
    : around_(around), host_(host), random_(random) {
  around_.processes[host_] = this;
}

Process::~Process() {
  life_.reset();
  around_.listening.erase(host_);
  around_.processes.erase(host_);
}

base::WallTime Process::wall() const {
  return {kWallStart + std::chrono::duration_cast<milliseconds>(now().time_since_epoch()).count()};
}

void Process::at(Instant time, net::Loop* loop, std::function<void()> task) {
  around_.scheduler.at(time, [this, life = std::weak_ptr(life_), loop, task = std::move(task)]() mutable {
    if (life.expired() || dead_) return;
    if (asleep_until_ > now()) return at(asleep_until_, loop, std::move(task));
    run_on(loop, task);
  });
}

void Process::run_on(net::Loop* loop, const std::function<void()>& task) {
  around_.touched = host_;
  net::Loop* const before = std::exchange(running_, loop);
  task();
  if (loop != nullptr) loop->poll();
  running_ = before;
}

Duration Process::hop() { return std::chrono::microseconds(random_.between(1, 40)); }

Duration Process::disk_work() {
  const Duration usual = std::chrono::microseconds(random_.between(20, 4000));
  return now() < slow_disk_until_ ? usual + milliseconds(random_.between(10, 1000)) : usual;
}

int Process::put_socket(StreamEndPtr end) {
  sockets_[++last_socket_] = std::move(end);
  return last_socket_;
}

StreamEndPtr Process::take_socket(int number) {
  const auto at = sockets_.find(number);
  if (at == sockets_.end()) return nullptr;
  StreamEndPtr end = std::move(at->second);
  sockets_.erase(at);
  return end;
}

std::string host_name(int host) { return "h" + std::to_string(host); }

int host_of(const std::string& name) {
  return name.starts_with('h') ? static_cast<int>(leading_number(std::string_view(name).substr(1))) : -1;
}

std::int64_t leading_number(std::string_view text) {
  std::int64_t number = -1;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace tandem::sim::brokers
