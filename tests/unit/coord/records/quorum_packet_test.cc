#include "coord/records/quorum_packet.h"

#include <doctest/doctest.h>

#include "base/random.h"
#include "coord/records/txn_batch.h"

using namespace tandem;
using namespace tandem::coord::records;
using jute::Zxid;

namespace {

std::string some_packets() {
  std::string out;
  put_packet(out, PacketType::follower_info, Zxid(0), encode_learner_info({3, kProtocolVersion, 7}));
  put_packet(out, PacketType::proposal, make_zxid(1, 1), std::string(300, 'p'));
  put_packet(out, PacketType::commit, make_zxid(1, 1));
  put_request(out, {jute::SessionId(5), 8, jute::OpCode::create, "body"},
              {{"ip", "127.0.0.1"}, {"digest", "a:b"}});
  put_ping(out, make_zxid(1, 1), {{jute::SessionId(5), 4000}, {jute::SessionId(6), 6000}});
  put_revalidate(out, {jute::SessionId(5), 4000});
  put_revalidated(out, jute::SessionId(5), true);
  return out;
}

}  // namespace

TEST_CASE("packets that arrive in pieces of any size are the packets that were sent") {
  const std::string bytes = some_packets();
  base::Random random(1);
  for (std::size_t piece = 1; piece < bytes.size(); piece += 1 + random.below(9)) {
    QuorumPacketDecoder decoder(1000);
    std::string again;
    int count = 0;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      decoder.feed(std::string_view(bytes).substr(at, piece));
      while (const auto packet = *decoder.next()) {
        put_packet(again, *packet);
        ++count;
      }
    }
    CHECK(again == bytes);
    CHECK(count == 7);
  }
}

TEST_CASE("bodies are read as they were written") {
  const std::string bytes = some_packets();
  QuorumPacketDecoder decoder(1000);
  decoder.feed(bytes);
  const auto info = decode_learner_info(*(*decoder.next())->data);
  CHECK(info->server_id == 3);
  CHECK(info->config_version == 7);
  static_cast<void>(decoder.next());
  static_cast<void>(decoder.next());
  const auto request = *decoder.next();
  CHECK(decode_request(request->data)->body == "body");
  CHECK(decode_authinfo(*request)->at(1) == jute::Id{"digest", "a:b"});
  CHECK(decode_touches((*decoder.next())->data)->at(1) == Touch{jute::SessionId(6), 6000});
  CHECK(decode_revalidate((*decoder.next())->data)->timeout_ms == 4000);
  CHECK(decode_revalidated((*decoder.next())->data)->second);
}

TEST_CASE("the stream stops behind SNAP until the snapshot is taken out of it") {
  std::string bytes;
  put_packet(bytes, PacketType::snap, make_zxid(1, 5));
  bytes += "tree";
  put_packet(bytes, PacketType::new_leader, make_zxid(2, 0), "config");
  QuorumPacketDecoder decoder(1000);
  decoder.feed(bytes);
  CHECK((*decoder.next())->type == PacketType::snap);
  CHECK(decoder.in_snapshot());
  CHECK(!decoder.next()->has_value());
  CHECK(decoder.raw().starts_with("tree"));
  decoder.consume_raw(4);
  decoder.end_snapshot();
  CHECK((*decoder.next())->type == PacketType::new_leader);
  CHECK(decoder.buffered() == 0);
}

TEST_CASE("lengths that nothing can justify are refused before anything is taken for them") {
  const auto refused = [](std::string_view bytes) {
    QuorumPacketDecoder decoder(1000);
    decoder.feed(bytes);
    return decoder.next().has_error() && decoder.next().has_error();
  };
  const std::string head("\0\0\0\2\0\0\0\1\0\0\0\1", 12);
  CHECK(refused(head + std::string("\x7f\xff\xff\xff", 4)));
  CHECK(refused(head + std::string("\xff\xff\xff\xfe", 4)));
  CHECK(refused(head + std::string("\0\0\3\xe9", 4)));
  CHECK(refused(head + std::string("\0\0\0\0\x7f\xff\xff\xff", 8)));
  CHECK(refused(head + std::string("\0\0\0\0\0\0\0\1\x7f\xff\xff\xff", 12)));
}

TEST_CASE("the extension of Tandem's servers is behind what Apache's readers know") {
  std::string info = encode_learner_info({3, kProtocolVersion, 7});
  CHECK(info.size() == kLearnerInfoBytes);
  const Extension said{600, 0x1122334455667788};
  const Extension none;
  CHECK(decode_extension(info, kLearnerInfoBytes) == none);
  put_extension(info, said);
  CHECK(decode_extension(info, kLearnerInfoBytes) == said);
  CHECK(decode_learner_info(info)->config_version == 7);
  CHECK(decode_extension(std::nullopt, kEpochBytes) == none);
  CHECK(decode_extension(info.substr(0, 35), kLearnerInfoBytes) == none);
  CHECK(decode_extension(info + "later", kLearnerInfoBytes) == said);
  CHECK(decode_extension(std::string(36, 'x'), kLearnerInfoBytes) == none);
}

TEST_CASE("what follows a transaction is the next of its epoch, or the first of a later one") {
  CHECK(follows(make_zxid(1, 3), make_zxid(1, 2)));
  CHECK(follows(make_zxid(4, 1), make_zxid(1, 2)));
  CHECK(follows(make_zxid(1, 1), Zxid(0)));
  CHECK_FALSE(follows(make_zxid(1, 4), make_zxid(1, 2)));
  CHECK_FALSE(follows(make_zxid(2, 2), make_zxid(1, 2)));
  CHECK_FALSE(follows(make_zxid(1, 1), make_zxid(2, 0)));
}
