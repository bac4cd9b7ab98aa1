#include "coord/election/handshake.h"

#include "bytes/reader.h"
#include "bytes/writer.h"

namespace tandem::coord::election {

using base::Errc;
using base::Result;
using quorum::HostPort;
using quorum::ServerId;

namespace {

constexpr std::int64_t kVersion1 = -65536;
constexpr std::int64_t kVersion2 = -65535;
constexpr std::size_t kLegacyBytes = 8;
constexpr std::size_t kFixedBytes = 20;
constexpr std::int32_t kAddressBytesMax = 2048;

bool is_wildcard(std::string_view host) { return host == "0.0.0.0" || host == "0:0:0:0:0:0:0:0"; }

}  // namespace

std::string encode(const Handshake& handshake) {
  std::string text;
  for (const HostPort& address : handshake.addresses)
    text += (text.empty() ? "" : "|") + quorum::host_port(address.host, address.port);
  std::string out;
  bytes::Writer writer(out);
  if (handshake.version != HandshakeVersion::legacy)
    writer.i64(handshake.version == HandshakeVersion::v1 ? kVersion1 : kVersion2);
  writer.i64(handshake.from.value);
  if (handshake.version == HandshakeVersion::legacy) return out;
  writer.i32(static_cast<std::int32_t>(text.size()));
  writer.bytes(text);
  return out;
}

Result<std::size_t> handshake_size(std::string_view head) {
  if (head.size() < kLegacyBytes) return std::size_t{0};
  bytes::Reader reader(head);
  const std::int64_t version = reader.i64();
  if (version >= 0) return kLegacyBytes;
  if (version != kVersion1 && version != kVersion2)
    return base::make_error(Errc::corrupt, "unknown version {} of the election handshake", version);
  if (head.size() < kFixedBytes) return std::size_t{0};
  reader.i64();
  const std::int32_t length = reader.i32();
  if (length <= 0 || length > kAddressBytesMax)
    return base::make_error(Errc::corrupt, "an election handshake with an address of {} bytes", length);
  return kFixedBytes + static_cast<std::size_t>(length);
}

Result<Handshake> decode_handshake(std::string_view bytes) {
  const auto size = handshake_size(bytes);
  if (!size) return size.error();
  if (*size == 0 || *size != bytes.size())
    return base::make_error(Errc::truncated, "an election handshake of {} bytes is not whole", bytes.size());
  bytes::Reader reader(bytes);
  const std::int64_t version = reader.i64();
  Handshake handshake;
  if (version >= 0) {
    handshake.from = ServerId(version);
    handshake.version = HandshakeVersion::legacy;
    return handshake;
  }
  handshake.version = version == kVersion1 ? HandshakeVersion::v1 : HandshakeVersion::v2;
  handshake.from = ServerId(reader.i64());
  reader.i32();
  for (std::string_view rest = reader.rest(); !rest.empty();) {
    const std::string_view one = rest.substr(0, rest.find('|'));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    auto address = quorum::parse_host_port(one);
    if (!address)
      return base::make_error(Errc::corrupt, "an election handshake with address {}",
                              address.error().context);
    if (!is_wildcard(address->host)) handshake.addresses.push_back(std::move(*address));
  }
  return handshake;
}

}  // namespace tandem::coord::election
