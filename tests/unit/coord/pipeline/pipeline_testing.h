// A pipeline with a log that is durable when the test says so, and clients that speak the protocol to it:
// each request is a frame, each reply is parsed back. Nothing here checks anything but the frames' lengths.
#pragma once

#include <doctest/doctest.h>

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bytes/reader.h"
#include "bytes/writer.h"
#include "coord/pipeline/pipeline.h"
#include "jute/codec.h"
#include "jute/proto.h"

namespace tandem::coord::pipeline {

struct Reply {
  std::int32_t xid = 0;
  std::int64_t zxid = 0;
  jute::ErrorCode err = jute::ErrorCode::ok;
  std::string body;
};

class TestServer final : public Outputs {
 public:
  explicit TestServer(PipelineOptions options = {}, auth::AuthOptions auth_options = {},
                      std::int64_t server_id = 0)
      : tree(tree::TreeOptions{.extended_types = true, .digest = true, .hash_seed = 1}),
        sessions(base::milliseconds(1000), jute::SessionId(0x1000 | server_id << 56)),
        authorizer(std::move(auth_options)),
        core(prepared(tree, options), tree, sessions, authorizer, *this, now()) {}

  // A leader begins its epoch.
  static const PipelineOptions& prepared(tree::DataTree& tree, const PipelineOptions& options) {
    if (options.role == Role::leader) tree.set_last_zxid(records::make_zxid(1, 0));
    return options;
  }

  Now now() const { return {clock.now(), clock.wall()}; }
  std::string& output(LinkId link) override { return outputs[link.value]; }

  // Performs the effects of a verb: batches wait for sync(), closures are remembered.
  void settle() {
    while (core.has_effects()) {
      for (const Effect& effect : core.take_effects()) {
        if (const auto* persist = std::get_if<Persist>(&effect)) batches.push_back(persist->batch);
        if (const auto* close = std::get_if<CloseLink>(&effect)) closed.push_back(close->link);
        if (const auto* resume = std::get_if<ResumeLink>(&effect)) resumed.push_back(resume->link);
        if (on_effect) on_effect(effect);
      }
    }
  }
  void sync() {
    if (on_sync) return on_sync();
    while (!batches.empty()) {
      const jute::Zxid last = batches.front()->last;
      log.push_back(batches.front());
      batches.pop_front();
      core.on_committed(last, now());
      settle();
    }
  }
  void frame(LinkId link, std::string_view bytes) {
    core.on_frame(link, bytes, now());
    settle();
  }
  void advance(std::int64_t ms) {
    clock.advance(base::milliseconds(ms));
    core.on_deadline(now());
    settle();
  }
  bool is_closed(LinkId link) const { return std::find(closed.begin(), closed.end(), link) != closed.end(); }

  base::ManualClock clock;
  tree::DataTree tree;
  session::SessionTracker sessions;
  auth::Authorizer authorizer;
  std::map<std::uint64_t, std::string> outputs;
  std::deque<std::shared_ptr<const TxnBatch>> batches;
  std::vector<std::shared_ptr<const TxnBatch>> log;  // durable
  std::vector<LinkId> closed;
  std::vector<LinkId> resumed;
  std::function<void(const Effect&)> on_effect;  // of a member of an ensemble: what goes to others
  std::function<void()> on_sync;
  Pipeline core;
};

class TestClient {
 public:
  // With a session, unless told to connect by hand.
  explicit TestClient(TestServer& server, bool connected = true) : server_(server) {
    link = server_.core.open_link("127.0.0.1", 1234, server_.now());
    if (!connected) return;
    connect();
    server_.sync();
    CHECK(take_connect().timeout_ms == 10000);
  }

  void connect(jute::SessionId session = {}, std::string password = std::string(16, '\0'),
               std::int64_t last_zxid = 0) {
    jute::ConnectRequest request;
    request.timeout_ms = 10000;
    request.session_id = session;
    request.passwd = std::move(password);
    request.last_zxid_seen = jute::Zxid(last_zxid);
    request.read_only = read_only;
    server_.frame(link, jute::encoded(request));
  }
  jute::ConnectResponse take_connect() {
    jute::ConnectResponse response;
    bytes::Reader reader(output());
    const std::int32_t size = reader.i32();
    jute::decode(reader, response);
    REQUIRE(reader.ok());
    output().erase(0, static_cast<std::size_t>(size) + 4);
    session = response.session_id;
    password = response.passwd.value_or("");
    return response;
  }

  template <class Record>
  std::int32_t send(jute::OpCode type, const Record& record) {
    return send_raw(type, jute::encoded(record));
  }
  std::int32_t send_raw(jute::OpCode type, std::string_view body) {
    std::string bytes;
    bytes::Writer writer(bytes);
    writer.i32(++xid);
    writer.i32(static_cast<std::int32_t>(type));
    writer.bytes(body);
    server_.frame(link, bytes);
    return xid;
  }

  bool has_reply() { return !output().empty(); }
  Reply take() {
    REQUIRE(has_reply());
    bytes::Reader reader(output());
    const auto size = static_cast<std::size_t>(reader.i32());
    REQUIRE(reader.remaining() >= size);
    Reply reply;
    reply.xid = reader.i32();
    reply.zxid = reader.i64();
    reply.err = static_cast<jute::ErrorCode>(reader.i32());
    reply.body = reader.bytes(size - 16);
    output().erase(0, size + 4);
    return reply;
  }
  // An event as "type path".
  std::string take_event() {
    const Reply reply = take();
    CHECK(reply.xid == jute::xid::kNotification);
    bytes::Reader reader(reply.body);
    const auto type = static_cast<jute::EventType>(reader.i32());
    CHECK(reader.i32() == 3);
    const auto size = static_cast<std::size_t>(reader.i32());
    return std::string(jute::to_string(type)) + " " + std::string(reader.bytes(size));
  }

  // Sends, makes it durable, takes the reply.
  template <class Record>
  Reply call(jute::OpCode type, const Record& record) {
    const std::int32_t sent = send(type, record);
    server_.sync();
    const Reply reply = take();
    CHECK(reply.xid == sent);
    return reply;
  }
  jute::ErrorCode create(const std::string& path, std::int32_t flags = 0,
                         const std::vector<jute::ACL>& acl = jute::open_acl()) {
    return call(jute::OpCode::create, jute::CreateRequest{path, std::string("data"), acl, flags}).err;
  }
  jute::ErrorCode set(const std::string& path, const std::string& data, std::int32_t version = -1) {
    return call(jute::OpCode::set_data, jute::SetDataRequest{path, data, version}).err;
  }
  jute::ErrorCode remove(const std::string& path, std::int32_t version = -1) {
    return call(jute::OpCode::remove, jute::DeleteRequest{path, version}).err;
  }
  Reply get(const std::string& path, bool watch = false) {
    return call(jute::OpCode::get_data, jute::PathWatchRequest{path, watch});
  }
  std::string data_of(const Reply& reply) {
    return jute::decoded<jute::GetDataResponse>(reply.body)->data.value_or("(null)");
  }

  std::string& output() { return server_.outputs[link.value]; }

  LinkId link;
  jute::SessionId session;
  std::string password;
  std::int32_t xid = 0;
  bool read_only = false;  // what it asks for

 private:
  TestServer& server_;
};

}  // namespace tandem::coord::pipeline
