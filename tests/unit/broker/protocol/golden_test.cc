// Frames recorded from real clients and Apache Kafka 3.9.1 (tests/golden/kafka): every one decodes whole and
// encodes to the same bytes.
#include <doctest/doctest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "broker/protocol/header.h"
#include "broker/protocol/printer.h"

namespace tandem::broker::protocol {
namespace {

struct Golden {
  std::string label;
  std::string direction;
  std::int16_t key = 0;
  std::int16_t version = 0;
  bytes::Slice frame;
};

int digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

std::string from_hex(const std::string& hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    out.push_back(static_cast<char>(digit(hex[i]) << 4 | digit(hex[i + 1])));
  return out;
}

std::vector<Golden> golden_frames() {
  std::ifstream file(KAFKA_FRAMES);
  std::vector<Golden> frames;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    Golden golden;
    std::string hex;
    words >> golden.label >> golden.direction >> golden.key >> golden.version >> hex;
    golden.frame = bytes::Slice::own(from_hex(hex));
    frames.push_back(std::move(golden));
  }
  return frames;
}

void check_identity(AnyMessage& message, const bytes::Slice& body, std::int16_t version, bool flexible) {
  Decoder decoder(body, version, flexible);
  message.walk(decoder);
  REQUIRE_MESSAGE(decoder.status().has_value(), decoder.status().error().context);
  CHECK(decoder.remaining() == 0);
  bytes::Chain out;
  Encoder encoder(out, version, flexible);
  message.walk(encoder);
  CHECK(out.flatten() == body.view());
}

// A version that the broker does not know is answered in version 0.
std::int16_t answered_version(const Api& api, const Golden& golden) {
  return api.has(golden.version) ? golden.version : std::int16_t{0};
}

TEST_CASE("frames of real clients and of Kafka decode and encode to the same bytes") {
  const std::vector<Golden> frames = golden_frames();
  REQUIRE(frames.size() > 400);
  std::set<std::int16_t> keys;
  for (const Golden& golden : frames) {
    CAPTURE(golden.label);
    CAPTURE(golden.direction);
    CAPTURE(golden.key);
    CAPTURE(golden.version);
    const Api* api = find_api(golden.key);
    if (api == nullptr) continue;  // an API that is not served: telemetry, KIP-848
    keys.insert(golden.key);
    if (golden.direction == "request") {
      const auto request = read_request(golden.frame);
      REQUIRE(request.has_value());
      if (!request->version_known) continue;
      check_identity(*api->make_request(), request->body, golden.version, api->flexible(golden.version));
    } else {
      const std::int16_t version = answered_version(*api, golden);
      const auto response = read_response(golden.frame, api->key, version);
      REQUIRE(response.has_value());
      check_identity(*api->make_response(), response->body, version, api->flexible(version));
    }
  }
  std::set<std::string_view> missing;
  for (const Api& api : all_apis()) {
    if (api.advertised && !keys.contains(static_cast<std::int16_t>(api.key))) missing.insert(api.name);
  }
  CHECK(missing == std::set<std::string_view>{});
  CHECK(keys.size() >= 50);
}

}  // namespace
}  // namespace tandem::broker::protocol
