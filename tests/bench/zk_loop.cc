#include "tests/bench/zk_loop.h"

#include <fmt/core.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "bytes/reader.h"
#include "tests/bench/patch.h"

namespace tandem::bench {

std::uint64_t ZkWorker::random() {
  random_state_ ^= random_state_ << 13;
  random_state_ ^= random_state_ >> 7;
  random_state_ ^= random_state_ << 17;
  return random_state_;
}

void ZkWorker::open_all(const std::vector<sockaddr_in>& servers, int first, int step, int total, int epoll) {
  for (int i = first; i < total; i += step) {
    auto connection = std::make_unique<Connection>();
    ZkSession session;
    const auto& server = servers[static_cast<std::size_t>(i) % servers.size()];
    connection->fd = open_session(server, session, 30'000, now_ns() + 20 * kSecondNs);
    if (connection->fd < 0) fail(fmt::format("cannot open session {}", i));
    connection->in.resize(256 << 10);
    connection->sent_ns.resize(static_cast<std::size_t>(run_.depth));
    connection->is_read.resize(static_cast<std::size_t>(run_.depth));
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = connection.get();
    epoll_ctl(epoll, EPOLL_CTL_ADD, connection->fd, &event);
    connections_.push_back(std::move(connection));
    run_.connected.count_down();
  }
}

bool ZkWorker::produce_one(Connection& connection, std::uint64_t sent_ns) {
  const bool reads =
      run_.read_percent == 100 || (run_.read_percent > 0 && random() % 100 < run_.read_percent);
  std::uint64_t index = 0;
  if (run_.fill || run_.create) {
    index = run_.next_index.fetch_add(1, std::memory_order_relaxed);
    if (run_.fill && index >= run_.nodes) return false;
  } else {
    index = random() % run_.nodes;
  }
  const ZkTemplate& request = reads ? run_.read : run_.write;
  const std::size_t at = connection.out.size();
  connection.out.append(request.frame);
  char* frame = connection.out.data() + at;
  patch_i32(frame + 4, connection.next_xid);
  const std::uint64_t directory =
      run_.create ? index % run_.create_directories : index / run_.fanout % 10'000;
  patch_digits(frame + request.directory_at, 4, directory);
  if (request.leaf_at > 0) patch_digits(frame + request.leaf_at, request.leaf_digits, index);
  const auto slot = static_cast<std::size_t>(connection.next_xid % run_.depth);
  connection.sent_ns[slot] = sent_ns;
  connection.is_read[slot] = reads;
  ++connection.next_xid;
  return true;
}

void ZkWorker::produce(Connection& connection, std::uint64_t now) {
  while (connection.next_xid - connection.acked_xid < run_.depth) {
    if (run_.rate == 0) {
      if (!produce_one(connection, now)) return;
    } else {
      if (connection.due_ns > now) return;
      produce_one(connection, connection.due_ns);  // latency counts from when the request was due
      connection.due_ns += kSecondNs / run_.rate;
    }
  }
}

void ZkWorker::flush(int epoll, Connection& connection) {
  while (connection.out_sent < connection.out.size()) {
    const ssize_t sent = send(connection.fd, connection.out.data() + connection.out_sent,
                              connection.out.size() - connection.out_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) break;
    if (sent <= 0) fail("connection lost");
    connection.out_sent += static_cast<std::size_t>(sent);
  }
  const bool all = connection.out_sent == connection.out.size();
  if (all) {
    connection.out.clear();
    connection.out_sent = 0;
  }
  if (connection.wants_out == all) {
    connection.wants_out = !all;
    epoll_event event{};
    event.events = all ? EPOLLIN : EPOLLIN | EPOLLOUT;
    event.data.ptr = &connection;
    epoll_ctl(epoll, EPOLL_CTL_MOD, connection.fd, &event);
  }
}

void ZkWorker::take_reply(Connection& connection, std::string_view reply, std::uint64_t now) {
  bytes::Reader reader(reply);
  const std::int32_t xid = reader.i32();
  const std::int64_t zxid = reader.i64();
  const std::int32_t error = reader.i32();
  if (xid < 0) return;  // a ping's reply
  if (xid != connection.acked_xid)
    broken(fmt::format("reply xid {}, expected {}", xid, connection.acked_xid));
  if (zxid > 0 && zxid < connection.last_zxid) broken("a zxid went back");
  connection.last_zxid = std::max(connection.last_zxid, zxid);
  const auto slot = static_cast<std::size_t>(xid % run_.depth);
  if (error == 0) {
    const bool wrong = run_.checks_data && connection.is_read[slot] &&
                       reader.i32() != static_cast<std::int32_t>(run_.value_bytes);
    if (wrong) broken("getData of a wrong length");
  } else if (!(run_.fill && error == kZkNodeExists)) {
    if (errors_++ == 0) first_error_ = error;
  }
  if (now >= run_.from_ns && now < run_.until_ns) latencies_.add(now - connection.sent_ns[slot]);
  ++connection.acked_xid;
}

void ZkWorker::receive(Connection& connection) {
  if (connection.in_size == connection.in.size()) connection.in.resize(connection.in.size() * 2);
  const ssize_t got = recv(connection.fd, connection.in.data() + connection.in_size,
                           connection.in.size() - connection.in_size, MSG_DONTWAIT);
  if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) fail("connection lost");
  if (got < 0) return;
  connection.in_size += static_cast<std::size_t>(got);
  const std::uint64_t now = now_ns();
  std::string_view bytes(connection.in.data(), connection.in_size);
  while (bytes.size() >= 4) {
    const auto size = static_cast<std::size_t>(bytes::Reader(bytes).u32());
    if (size < 16 || size > (64u << 20)) broken(fmt::format("reply of {} bytes", size));
    if (bytes.size() < 4 + size) break;
    take_reply(connection, bytes.substr(4, size), now);
    bytes.remove_prefix(4 + size);
  }
  std::memmove(connection.in.data(), bytes.data(), bytes.size());
  connection.in_size = bytes.size();
}

bool ZkWorker::idle() const {
  for (const auto& connection : connections_) {
    if (connection->next_xid != connection->acked_xid) return false;
  }
  return true;
}

// Never a busy wait: the machine's cores belong to the server that is measured.
std::uint64_t ZkWorker::wait_ns(std::uint64_t now) const {
  constexpr std::uint64_t kLongest = kSecondNs / 10;
  if (run_.rate == 0) return kLongest;
  std::uint64_t due = now + kLongest;
  for (const auto& connection : connections_) {
    const bool may_send = connection->next_xid - connection->acked_xid < run_.depth;
    if (may_send) due = std::min(due, connection->due_ns);
  }
  return due <= now ? 0 : due - now;
}

void ZkWorker::close_all() {
  for (auto& connection : connections_)
    send_all(connection->fd, request_frame(connection->next_xid, kZkClose, ""));
  for (auto& connection : connections_) {
    std::string reply;
    read_frame(connection->fd, reply, 16, 1 << 20, now_ns() + kSecondNs / 3);
    close(connection->fd);
  }
}

void ZkWorker::work(const std::vector<sockaddr_in>& servers, int first, int step, int total) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  open_all(servers, first, step, total, epoll);
  run_.started.wait();  // all threads start together
  for (auto& connection : connections_) connection->due_ns = now_ns();
  epoll_event events[128];
  for (std::uint64_t now = now_ns(); now < run_.until_ns + 3 * kSecondNs; now = now_ns()) {
    const bool over = now >= run_.until_ns || (run_.fill && run_.next_index >= run_.nodes);
    for (auto& connection : connections_) {
      if (over) continue;
      produce(*connection, now);
      if (!connection->out.empty()) flush(epoll, *connection);
    }
    if (over && idle()) break;
    const timespec wait{.tv_sec = 0, .tv_nsec = static_cast<long>(wait_ns(now))};
    const int count = epoll_pwait2(epoll, events, 128, &wait, nullptr);
    for (int i = 0; i < count; ++i) {
      auto& connection = *static_cast<Connection*>(events[i].data.ptr);
      if (events[i].events & ~EPOLLOUT) receive(connection);
      if (now_ns() < run_.until_ns) produce(connection, now_ns());
      flush(epoll, connection);
    }
  }
  close_all();
  close(epoll);
}

}  // namespace tandem::bench
