// A member that describe() forgets would be lost on the wire without a word: here every message, with all
// that is nested in it, is counted. And a message is exactly as long as its bytes: one more or one less is
// seen.
#include <doctest/doctest.h>

#include "base/random.h"
#include "broker/protocol/apis.h"
#include "broker/protocol/decoder.h"
#include "broker/protocol/messages/consumer_protocol.h"
#include "broker/protocol/messages/group_records.h"
#include "broker/protocol/randomizer.h"
#include "encoded.h"

namespace tandem::broker::protocol {
namespace {

// Counts the fields that each struct names, those of other versions included, against the members that it
// has.
class Counter final : public Fields {
 public:
  Counter() : Fields(0, true, Mode::names_fields) {}
  std::size_t structs = 0;
  std::vector<std::string> wrong;

 private:
  struct Open {
    std::string name;
    std::size_t members;
    std::size_t named = 0;
  };

  void count() {
    if (!open_.empty() && in_array_ == 0) ++open_.back().named;
  }
  void value(bool&) override { count(); }
  void value(std::int8_t&) override { count(); }
  void value(std::int16_t&) override { count(); }
  void value(std::int32_t&) override { count(); }
  void value(std::int64_t&) override { count(); }
  void value(double&) override { count(); }
  void value(Uuid&) override { count(); }
  void value(std::string&) override { count(); }
  void value(std::optional<std::string>&) override { count(); }
  void value(Bytes&) override { count(); }
  void value(std::optional<Bytes>&) override { count(); }
  void value(Records&) override { count(); }
  std::int64_t open_array(std::int64_t, bool, std::size_t) override {
    count();
    ++in_array_;
    return 0;
  }
  void close_array() override { --in_array_; }
  void open_struct() override {
    count();
    open_.push_back({name_, members_});
    outer_.push_back(std::exchange(in_array_, 0));
    ++structs;
  }
  void close_struct() override {
    const Open& done = open_.back();
    if (done.named != done.members) {
      wrong.push_back("'" + done.name + "' names " + std::to_string(done.named) + " of " +
                      std::to_string(done.members) + " members");
    }
    open_.pop_back();
    in_array_ = outer_.back();
    outer_.pop_back();
  }
  bool open_tag(std::uint32_t, bool) override { return true; }
  void close_tag() override {}

  std::vector<Open> open_;
  std::vector<int> outer_;  // in_array_ of the structs around
  int in_array_ = 0;
};

template <class M>
std::size_t count_record() {
  Counter counter;
  M message;
  counter.walk(message);
  CHECK(counter.wrong == std::vector<std::string>{});
  return counter.structs;
}

TEST_CASE("every message names all of its members") {
  std::size_t structs = 0;
  for (const Api& api : all_apis()) {
    for (const auto make : {api.make_request, api.make_response}) {
      CAPTURE(api.name);
      Counter counter;
      make()->walk(counter);
      CHECK(counter.wrong == std::vector<std::string>{});
      structs += counter.structs;
    }
  }
  CHECK(structs > 250);
}

TEST_CASE("so do the records of the group log and of the consumer protocol") {
  CHECK(count_record<OffsetCommitKey>() == 1);
  CHECK(count_record<OffsetCommitValue>() == 1);
  CHECK(count_record<GroupMetadataKey>() == 1);
  CHECK(count_record<GroupMetadataValue>() == 2);
  CHECK(count_record<ConsumerProtocolSubscription>() == 2);
  CHECK(count_record<ConsumerProtocolAssignment>() == 2);
}

struct Forgetful {
  std::int32_t kept = 0;
  std::string lost;
  void describe(Fields& f) { f("kept", kept); }
};

TEST_CASE("a member that is left out is seen") {
  Counter counter;
  Forgetful message;
  counter.walk(message);
  CHECK(counter.wrong == std::vector<std::string>{"'' names 1 of 2 members"});
}

TEST_CASE("in every version one byte more is left over and one byte less is missed") {
  base::Random random(20250101);
  for (const Api& api : all_apis()) {
    for (std::int16_t version = 0; version <= api.version_max; ++version) {
      for (const auto make : {api.make_request, api.make_response}) {
        CAPTURE(api.name);
        CAPTURE(version);
        const bool flexible = api.flexible(version);
        const auto message = make();
        Randomizer randomizer(random, version, flexible);
        message->walk(randomizer);
        const std::string wire = encoded(*message, version, flexible);

        const auto longer = make();
        Decoder with_more(bytes::Slice::own(wire + "\x01"), version, flexible);
        longer->walk(with_more);
        CHECK(with_more.status().has_value());
        CHECK(with_more.remaining() == 1);
        CHECK(encoded(*longer, version, flexible) == wire);

        if (wire.empty()) continue;
        const auto shorter = make();
        Decoder with_less(bytes::Slice::own(wire.substr(0, wire.size() - 1)), version, flexible);
        shorter->walk(with_less);
        CHECK_FALSE(with_less.status().has_value());
      }
    }
  }
}

}  // namespace
}  // namespace tandem::broker::protocol
