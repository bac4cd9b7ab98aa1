// Requests and responses of every Kafka API: input is a byte each for API, version and direction, then the
// message. Any bytes give a message or an error, and what was read survives a second round.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "broker/protocol/apis.h"
#include "broker/protocol/decoder.h"
#include "broker/protocol/encoder.h"
#include "broker/protocol/header.h"
#include "broker/protocol/printer.h"

using namespace tandem;
using namespace tandem::broker::protocol;

namespace {

std::string encoded(AnyMessage& message, std::int16_t version, bool flexible) {
  bytes::Chain out;
  Encoder encoder(out, version, flexible);
  message.walk(encoder);
  return out.flatten();
}

void round_trip(const Api& api, std::int16_t version, bool is_request, bytes::Slice body) {
  const bool flexible = api.flexible(version);
  const auto make = is_request ? api.make_request : api.make_response;
  const auto message = make();
  Decoder decoder(body, version, flexible);
  message->walk(decoder);
  if (!decoder.status()) return;
  const std::string first = encoded(*message, version, flexible);
  const auto copy = make();
  Decoder again(bytes::Slice::own(first), version, flexible);
  copy->walk(again);
  ENSURE(again.status().has_value() && again.remaining() == 0, "an encoded message reads back whole");
  ENSURE(encoded(*copy, version, flexible) == first, "two rounds give the same bytes");
  std::string text;
  Printer printer(text, version);
  message->walk(printer);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const auto apis = all_apis();
  const Api& api = apis[data[0] % apis.size()];
  const auto version = static_cast<std::int16_t>(data[1] % (api.version_max + 1));
  const std::string bytes(reinterpret_cast<const char*>(data) + 3, size - 3);
  round_trip(api, version, data[2] % 2 == 0, bytes::Slice::own(bytes));
  static_cast<void>(read_request(bytes::Slice::own(bytes)));
  return 0;
}
