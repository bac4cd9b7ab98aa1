#include "tests/bench/zk_null.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "bytes/reader.h"
#include "bytes/writer.h"
#include "tests/bench/zk_session.h"

namespace tandem::bench {

namespace {

// One fdatasync in flight at a time covers all that was appended before it began.
class NullLog {
 public:
  explicit NullLog(const std::string& path) {
    fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    const std::string zeros(1 << 20, '\0');
    for (std::size_t written = 0; written < kRingBytes; written += zeros.size()) {
      if (fd_ < 0 || write(fd_, zeros.data(), zeros.size()) != static_cast<ssize_t>(zeros.size())) {
        fail("cannot prepare " + path);
      }
    }
    fsync(fd_);
    thread_ = std::thread([this] { run(); });
  }

  ~NullLog() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
    close(fd_);
    close(wake_fd_);
  }

  int wake_fd() const { return wake_fd_; }
  std::uint64_t durable() const { return durable_; }

  void append(std::string& batch, std::uint64_t last) {
    const std::lock_guard lock(mutex_);
    pending_.append(batch);
    batch.clear();
    appended_ = last;
    changed_.notify_one();
  }

 private:
  static constexpr std::size_t kRingBytes = 256u << 20;

  void run() {
    std::string writing;
    std::size_t offset = 0;
    for (;;) {
      std::uint64_t last = 0;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stopping_ || !pending_.empty(); });
        if (stopping_) return;
        writing.swap(pending_);
        last = appended_;
      }
      if (offset + writing.size() > kRingBytes) offset = 0;
      const ssize_t written = pwrite(fd_, writing.data(), writing.size(), static_cast<off_t>(offset));
      if (written != static_cast<ssize_t>(writing.size()) || fdatasync(fd_) != 0) fail("log write");
      offset += writing.size();
      writing.clear();
      durable_ = last;
      const std::uint64_t one = 1;
      if (write(wake_fd_, &one, sizeof one) != sizeof one) fail("eventfd");
    }
  }

  int fd_ = -1;
  int wake_fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string pending_;
  std::uint64_t appended_ = 0;
  bool stopping_ = false;
  std::atomic<std::uint64_t> durable_{0};
  std::thread thread_;
};

struct NullConnection {
  int fd = -1;
  bool greeted = false;
  std::string in, out;
  std::size_t in_size = 0;
  std::string held;  // replies from the first write that is not durable on
  struct Mark {
    std::uint64_t record;
    std::size_t end;  // held[0, end) may go once the record is durable
  };
  std::vector<Mark> marks;
};

class NullServer {
 public:
  NullServer(const std::string& port, const std::string& log_path, std::size_t value_bytes)
      : value_(value_bytes, 'v'), listen_fd_(listen_on(port)), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    watch(listen_fd_);
    if (log_path.empty()) return;
    log_ = std::make_unique<NullLog>(log_path);
    watch(log_->wake_fd());
  }

  void serve(std::uint64_t until_ns) {
    epoll_event events[256];
    while (now_ns() < until_ns) {
      const int count = epoll_wait(epoll_, events, 256, 200);
      for (int i = 0; i < count; ++i) ready(events[i].data.fd);
      if (!log_) continue;
      if (!batch_.empty()) log_->append(batch_, records_);
      release();
    }
  }

 private:
  void watch(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  void ready(int fd) {
    if (fd == listen_fd_) return accept_one();
    if (log_ && fd == log_->wake_fd()) {
      std::uint64_t count = 0;
      if (read(fd, &count, sizeof count) < 0) return;  // already drained
      return;
    }
    receive(connections_.at(fd));
  }

  void accept_one() {
    const int fd = accept4(listen_fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    auto& connection = connections_[fd];
    connection.fd = fd;
    connection.in.resize(256 << 10);
    watch(fd);
  }

  void receive(NullConnection& connection) {
    const ssize_t got = recv(connection.fd, connection.in.data() + connection.in_size,
                             connection.in.size() - connection.in_size, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN)) {
      close(connection.fd);
      connections_.erase(connection.fd);
      return;
    }
    connection.in_size += got > 0 ? static_cast<std::size_t>(got) : 0;
    std::string_view bytes(connection.in.data(), connection.in_size);
    while (bytes.size() >= 4) {
      const auto size = static_cast<std::size_t>(bytes::Reader(bytes).u32());
      if (size > (4u << 20)) fail("null server: frame too long");
      if (bytes.size() < 4 + size) break;
      answer(connection, bytes.substr(0, 4 + size));
      bytes.remove_prefix(4 + size);
    }
    std::memmove(connection.in.data(), bytes.data(), bytes.size());
    connection.in_size = bytes.size();
    if (connection.in_size == connection.in.size()) connection.in.resize(2 * connection.in.size());
    flush(connection);
  }

  void answer(NullConnection& connection, std::string_view frame) {
    if (!connection.greeted) {
      connection.greeted = true;
      return greet(connection);
    }
    bytes::Reader reader(frame.substr(4));
    const std::int32_t xid = reader.i32();
    const std::int32_t op = reader.i32();
    const bool writes = op == kZkSetData || op == kZkCreate;
    const bool holds = log_ && (writes || !connection.held.empty());
    zxid_ += writes ? 1 : 0;
    reply(holds ? connection.held : connection.out, xid, op, reader);
    if (!holds) return;
    if (writes) {
      batch_.append(frame);
      connection.marks.push_back({++records_, connection.held.size()});
    } else {
      connection.marks.back().end = connection.held.size();
    }
  }

  void greet(NullConnection& connection) {
    bytes::Writer writer(connection.out);
    writer.i32(37);
    writer.i32(0);
    writer.i32(30'000);
    writer.i64(0x100000 + connection.fd);
    writer.i32(16);
    writer.bytes(std::string(16, 'p'));
    writer.u8(0);
  }

  void reply(std::string& out, std::int32_t xid, std::int32_t op, bytes::Reader request) {
    static const std::string stat(68, '\0');
    bytes::Writer writer(out);
    const std::size_t length_at = writer.reserve_i32();
    writer.i32(xid);
    writer.i64(zxid_);
    writer.i32(0);
    if (op == kZkGetData) {
      writer.i32(static_cast<std::int32_t>(value_.size()));
      writer.bytes(value_);
    }
    if (op == kZkGetData || op == kZkSetData || op == kZkExists) writer.bytes(stat);
    if (op == kZkCreate || op == kZkSync) {
      const std::string_view path = request.bytes(static_cast<std::size_t>(request.i32()));
      writer.i32(static_cast<std::int32_t>(path.size()));
      writer.bytes(path);
    }
    writer.patch_i32(length_at, static_cast<std::int32_t>(out.size() - length_at - 4));
  }

  void release() {
    const std::uint64_t durable = log_->durable();
    for (auto& [fd, connection] : connections_) {
      std::size_t done = 0, end = 0;
      while (done < connection.marks.size() && connection.marks[done].record <= durable)
        end = connection.marks[done++].end;
      if (done == 0) continue;
      connection.out.append(connection.held, 0, end);
      connection.held.erase(0, end);
      connection.marks.erase(connection.marks.begin(), connection.marks.begin() + static_cast<long>(done));
      for (auto& mark : connection.marks) mark.end -= end;
      flush(connection);
    }
  }

  void flush(NullConnection& connection) {  // the generator always reads: a short wait is the simplest
    if (!connection.out.empty() && !send_all(connection.fd, connection.out)) return;
    connection.out.clear();
  }

  std::string value_;
  int listen_fd_, epoll_;
  std::unique_ptr<NullLog> log_;
  std::map<int, NullConnection> connections_;
  std::string batch_;
  std::uint64_t records_ = 0;
  std::int64_t zxid_ = 1;
};

}  // namespace

void serve_null(const std::string& port, const std::string& log_path, std::size_t value_bytes,
                double seconds) {
  NullServer server(port, log_path, value_bytes);
  server.serve(now_ns() + static_cast<std::uint64_t>(seconds * 1e9));
}

}  // namespace tandem::bench
