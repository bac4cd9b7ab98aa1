#include "tests/bench/zk_session.h"

#include <fmt/core.h>
#include <unistd.h>

#include "bytes/reader.h"
#include "bytes/writer.h"

namespace tandem::bench {

namespace {

void put_text(bytes::Writer& writer, std::string_view text) {
  writer.i32(static_cast<std::int32_t>(text.size()));
  writer.bytes(text);
}

}  // namespace

std::string ZkLayout::node(std::uint64_t index) const {
  return fmt::format("{}/d{:04}/n{:07}", prefix, index / fanout % 10'000, index % 10'000'000);
}

std::string ZkLayout::directory(std::uint64_t number) const {
  return fmt::format("{}/d{:04}", prefix, number);
}

std::string ZkLayout::create_directory(std::uint64_t number) const {
  return fmt::format("{}/x{:04}", prefix, number);
}

std::vector<std::string> ZkLayout::parents() const {
  std::vector<std::string> paths;
  for (std::size_t end = prefix.find('/', 1); end != std::string::npos; end = prefix.find('/', end + 1)) {
    paths.push_back(prefix.substr(0, end));
  }
  paths.push_back(prefix);
  return paths;
}

std::string request_frame(std::int32_t xid, ZkOp op, const std::string& body) {
  std::string frame;
  bytes::Writer writer(frame);
  writer.i32(static_cast<std::int32_t>(8 + body.size()));
  writer.i32(xid);
  writer.i32(op);
  writer.bytes(body);
  return frame;
}

std::string create_body(const std::string& path, std::string_view value, std::int32_t flags) {
  std::string body;
  bytes::Writer writer(body);
  put_text(writer, path);
  put_text(writer, value);
  writer.i32(1);  // one ACL entry: all to everybody
  writer.i32(31);
  put_text(writer, "world");
  put_text(writer, "anyone");
  writer.i32(flags);
  return body;
}

ZkTemplate make_template(ZkOp op, const ZkLayout& layout, std::size_t value_bytes, std::int32_t create_flags,
                         const std::string& create_run) {
  constexpr std::size_t kPathAt = 16;  // length, xid, op, path length
  ZkTemplate result;
  std::string path = layout.node(0);
  result.directory_at = kPathAt + layout.prefix.size() + 2;
  result.leaf_at = result.directory_at + 6;
  if (!create_run.empty()) {  // PREFIX/xDDDD/RUN-NNNNNNNNNN
    path = layout.create_directory(0) + "/" + create_run + "-0000000000";
    result.leaf_at = kPathAt + path.size() - 10;
    result.leaf_digits = 10;
  } else if (op == kZkGetChildren || op == kZkSync) {
    path = layout.directory(0);
    result.leaf_at = 0;
  }
  const std::string value(value_bytes, 'v');
  std::string body;
  bytes::Writer writer(body);
  if (op == kZkCreate) {
    body = create_body(path, value, create_flags);
  } else {
    put_text(writer, path);
    if (op == kZkSetData) {
      put_text(writer, value);
      writer.i32(-1);
    } else if (op != kZkSync) {
      writer.u8(0);  // no watch
    }
  }
  result.frame = request_frame(0, op, body);
  return result;
}

int open_session(const sockaddr_in& address, ZkSession& session, std::int32_t timeout_ms,
                 std::uint64_t deadline_ns) {
  const int fd = connect_to(address);
  if (fd < 0) return -1;
  std::string frame;
  bytes::Writer writer(frame);
  writer.i32(45);
  writer.i32(0);
  writer.i64(0);
  writer.i32(timeout_ms);
  writer.i64(session.id);
  put_text(writer, session.password);
  writer.u8(0);
  std::string reply;
  const bool answered = send_all(fd, frame) && read_frame(fd, reply, 36, 4096, deadline_ns);
  bytes::Reader reader(reply);
  reader.i32();
  if (!answered || reader.i32() <= 0) {  // no time-out granted: the session has expired
    if (answered) session = ZkSession{};
    close(fd);
    return -1;
  }
  session.id = reader.i64();
  session.password = std::string(reader.bytes(static_cast<std::size_t>(reader.i32())));
  if (!reader.ok()) broken("connect response");
  return fd;
}

std::int32_t call(int fd, std::int32_t xid, const std::string& frame, std::uint64_t deadline_ns) {
  if (!send_all(fd, frame)) return kZkLost;
  std::string reply;
  for (;;) {
    if (!read_frame(fd, reply, 16, 64 << 20, deadline_ns)) return kZkLost;
    bytes::Reader reader(reply);
    const std::int32_t got = reader.i32();
    if (got < 0) continue;  // a ping's reply or a watch event
    if (got != xid) broken(fmt::format("reply xid {}, expected {}", got, xid));
    reader.i64();
    return reader.i32();
  }
}

void make_directories(const std::string& server, const std::vector<std::string>& paths) {
  constexpr std::uint64_t kPatience = 10 * kSecondNs;
  ZkSession session;
  const int fd = open_session(loopback_address(server), session, 30'000, now_ns() + kPatience);
  if (fd < 0) fail("cannot open a session with " + server);
  std::int32_t xid = 0;
  for (const auto& path : paths) {
    ++xid;
    const std::int32_t error =
        call(fd, xid, request_frame(xid, kZkCreate, create_body(path, "", 0)), now_ns() + kPatience);
    if (error != 0 && error != kZkNodeExists) fail(fmt::format("create {} failed: {}", path, error));
  }
  ++xid;
  call(fd, xid, request_frame(xid, kZkClose, ""), now_ns() + kPatience);
  close(fd);
}

}  // namespace tandem::bench
