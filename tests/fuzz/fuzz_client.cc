// A client session with a server that says anything at any time: no bytes and no order of events break the
// core, each request is answered exactly once, and a session that is not over always has something to wait
// for.
#include <cstdint>
#include <set>
#include <string_view>

#include "base/check.h"
#include "jute/codec.h"
#include "zksession/session.h"

using namespace tandem;
using namespace tandem::zksession;

namespace {

Options options() {
  Options options;
  options.servers.hosts = {{"a", 1}, {"b", 2}, {"c", 3}};
  options.servers.chroot = "/chroot";
  options.max_in_flight = 3;
  return options;
}

Op pick_op(std::uint8_t kind) {
  const Op ops[] = {Op::exists("/a", true),
                    Op::get_data("/b", true),
                    Op::get_children("/c", true),
                    Op::create("/d"),
                    Op::remove("/e"),
                    Op::set_data("/f", "x"),
                    Op::get_acl("/g"),
                    Op::set_acl("/h", jute::open_acl()),
                    Op::multi({Op::create("/i"), Op::check("/"), Op::remove("/j")}),
                    Op::multi({Op::get_data("/k"), Op::get_children("/l")}),
                    Op::add_watch("/m", jute::AddWatchMode::persistent_recursive),
                    Op::remove_watches("/a", jute::WatcherType::any, true),
                    Op::get_ephemerals("/"),
                    Op::get_all_children_number("/"),
                    Op::who_am_i(),
                    Op::sync("/")};
  return ops[kind % std::size(ops)];
}

class World {
 public:
  explicit World(std::string_view bytes) : reader_(bytes), session_(options(), base::Random(1)) {}

  void run() {
    session_.start(now_);
    while (reader_.remaining() > 0) {
      step();
      perform();
      const State state = session_.state();
      const bool over = state == State::closed || state == State::expired || state == State::auth_failed;
      ENSURE(over || session_.next_deadline(), "a session that is not over waits for something");
    }
    session_.close(now_);
    session_.on_disconnected(now_);
    perform();
    ENSURE(open_.empty(), "every request was answered");
  }

 private:
  void step() {
    const std::uint8_t what = reader_.u8();
    const std::uint8_t argument = reader_.u8();
    switch (what % 10) {
      case 0:
        return session_.on_connected(now_);
      case 1:
        return session_.on_disconnected(now_);
      case 2:
        return session_.on_frame(reader_.bytes(std::min<std::size_t>(argument, reader_.remaining())), now_);
      case 3:
        return session_.on_frame(
            jute::encoded(jute::ConnectResponse{0, argument * 100, jute::SessionId(argument), "p"}), now_);
      case 4:
        open_.insert(
            session_.submit(pick_op(argument), argument & 0x80 ? OnLoss::retry : OnLoss::fail, now_));
        return;
      case 5:
        now_ += milliseconds(argument * 20);
        return session_.on_deadline(now_);
      case 6:
        return reply(argument);
      case 7:
        return session_.add_auth("digest", "user:secret", now_);
      case 8:
        if (argument == 0) session_.close(now_);
        return;
      case 9:
        if (session_.state() == State::expired || session_.state() == State::closed) session_.start(now_);
        return;
    }
  }

  // With a plausible header, so that bodies are reached.
  void reply(std::uint8_t argument) {
    const std::int32_t xids[] = {next_reply_, -1, -2, -4, -8};
    const std::int32_t xid = xids[(argument & 7) < 4 ? 0 : (argument & 7) - 3];
    const auto error = jute::ErrorCode(argument & 0x80 ? -101 : 0);
    std::string frame = jute::encoded(jute::ReplyHeader{xid, jute::Zxid(argument), error});
    frame += reader_.bytes(std::min<std::size_t>(argument >> 1 & 0x3c, reader_.remaining()));
    if (xid == next_reply_) ++next_reply_;
    session_.on_frame(frame, now_);
  }

  void perform() {
    for (const Effect& effect : session_.drain()) {
      if (const auto* done = std::get_if<Complete>(&effect))
        ENSURE(open_.erase(done->id) == 1, "request {} is answered once", done->id);
    }
  }

  bytes::Reader reader_;
  Session session_;
  Instant now_{std::chrono::seconds(1)};
  std::int32_t next_reply_ = 1;
  std::set<RequestId> open_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  World({reinterpret_cast<const char*>(data), size}).run();
  return 0;
}
