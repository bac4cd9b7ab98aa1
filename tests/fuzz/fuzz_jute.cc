// Records of the client protocol: any bytes give a record or an error, and what was read survives a second
// round through encoder and decoder.
#include <array>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "jute/codec.h"
#include "jute/proto.h"

using namespace tandem;

namespace {

template <class R>
void round_trip(std::string_view bytes) {
  bytes::Reader reader(bytes);
  R record;
  jute::decode(reader, record);
  if (!reader.ok()) return;
  std::string first;
  jute::encode(first, record);
  bytes::Reader again(first);
  R copy;
  jute::decode(again, copy);
  ENSURE(again.at_end(), "an encoded record reads back whole");
  std::string second;
  jute::encode(second, copy);
  ENSURE(first == second, "two rounds give the same bytes");
  std::string text;
  jute::Printer printer(text);
  record.describe(printer);
}

using Round = void (*)(std::string_view);
constexpr std::array<Round, 24> kRounds = {
    round_trip<jute::RequestHeader>,         round_trip<jute::ReplyHeader>,
    round_trip<jute::ConnectRequest>,        round_trip<jute::ConnectResponse>,
    round_trip<jute::WatcherEvent>,          round_trip<jute::AuthPacket>,
    round_trip<jute::MultiHeader>,           round_trip<jute::CreateRequest>,
    round_trip<jute::CreateTTLRequest>,      round_trip<jute::Create2Response>,
    round_trip<jute::DeleteRequest>,         round_trip<jute::CheckVersionRequest>,
    round_trip<jute::PathWatchRequest>,      round_trip<jute::GetDataResponse>,
    round_trip<jute::SetDataRequest>,        round_trip<jute::GetChildren2Response>,
    round_trip<jute::GetACLResponse>,        round_trip<jute::SetACLRequest>,
    round_trip<jute::ReconfigRequest>,       round_trip<jute::SetWatches>,
    round_trip<jute::SetWatches2>,           round_trip<jute::RemoveWatchesRequest>,
    round_trip<jute::GetEphemeralsResponse>, round_trip<jute::WhoAmIResponse>,
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  kRounds[data[0] % kRounds.size()]({reinterpret_cast<const char*>(data) + 1, size - 1});
  return 0;
}
