#include "coord/records/txn.h"

#include "bytes/reader.h"
#include "jute/codec.h"

namespace tandem::coord::records {

using base::Errc;
using base::Result;

namespace {

// The digest that follows a body: version and tree digest.
constexpr std::size_t kDigestSize = 12;
constexpr std::int32_t kDigestVersion = 2;

template <class R>
bool read(bytes::Reader& reader, Txn& out) {
  R record{};
  jute::decode(reader, record);
  out = std::move(record);
  return reader.ok();
}

// A create without parentCVersion ends where the field should start, so nothing can follow it.
bool read_create(std::string_view bytes, bytes::Reader& reader, Txn& out) {
  if (read<CreateTxn>(reader, out)) return true;
  reader = bytes::Reader(bytes);
  jute::Decoder decoder(reader);
  CreateTxn create;
  create.describe_v0(decoder);
  out = std::move(create);
  return reader.ok();
}

// A missing body leaves nothing, or a digest alone. The latter's bytes would be a list of two empty paths,
// which no server writes.
bool read_close_session(std::string_view bytes, bytes::Reader& reader, Txn& out) {
  const bool digest_alone = bytes.size() == kDigestSize && bytes::Reader(bytes).i32() == kDigestVersion;
  if (!bytes.empty() && !digest_alone) return read<CloseSessionTxn>(reader, out);
  out = CloseSessionTxn{.paths_to_delete = {}, .listed = false};
  return true;
}

bool read_type(OpCode type, std::string_view bytes, bytes::Reader& reader, Txn& out, bool& known) {
  switch (type) {
    case OpCode::create:
      return read_create(bytes, reader, out);
    case OpCode::create2:
      return read<CreateTxn>(reader, out);
    case OpCode::create_container:
      return read<CreateContainerTxn>(reader, out);
    case OpCode::create_ttl:
      return read<CreateTTLTxn>(reader, out);
    case OpCode::remove:
    case OpCode::delete_container:
      return read<DeleteTxn>(reader, out);
    case OpCode::set_data:
    case OpCode::reconfig:
      return read<SetDataTxn>(reader, out);
    case OpCode::set_acl:
      return read<SetACLTxn>(reader, out);
    case OpCode::check:
      return read<CheckVersionTxn>(reader, out);
    case OpCode::multi:
      return read<MultiTxn>(reader, out);
    case OpCode::create_session:
      return read<CreateSessionTxn>(reader, out);
    case OpCode::close_session:
      return read_close_session(bytes, reader, out);
    case OpCode::error:
      return read<ErrorTxn>(reader, out);
    default:
      known = false;
      return false;
  }
}

}  // namespace

void encode_body(std::string& out, const Txn& body) {
  std::visit([&out](const auto& record) { jute::encode(out, record); }, body);
}

std::string encoded_body(const Txn& body) {
  std::string out;
  encode_body(out, body);
  return out;
}

Result<Txn> decode_body(OpCode type, std::string_view bytes, std::string_view* rest) {
  bytes::Reader reader(bytes);
  Txn body;
  bool known = true;
  const bool ok = read_type(type, bytes, reader, body, known);
  if (!known)
    return base::make_error(Errc::unsupported, "transaction of unknown type {}", static_cast<int>(type));
  if (!ok)
    return base::make_error(Errc::corrupt, "transaction of type {} does not fit in {} bytes",
                            static_cast<int>(type), bytes.size());
  if (rest != nullptr) *rest = reader.rest();
  return body;
}

void encode_payload(std::string& out, const TxnHeader& header, const Txn& body, const TxnDigest* digest) {
  jute::encode(out, header);
  encode_body(out, body);
  if (digest != nullptr) jute::encode(out, *digest);
}

Result<LoggedTxn> decode_payload(std::string_view bytes) {
  bytes::Reader reader(bytes);
  LoggedTxn txn;
  jute::decode(reader, txn.header);
  if (!reader.ok())
    return base::make_error(Errc::corrupt, "transaction of {} bytes has no whole header", bytes.size());
  std::string_view rest;
  auto body = decode_body(txn.header.type, reader.rest(), &rest);
  if (!body) return body.error();
  txn.body = std::move(*body);
  if (rest.size() >= kDigestSize) {
    bytes::Reader digest_reader(rest);
    jute::decode(digest_reader, txn.digest.emplace());
  }
  return txn;
}

std::string printed(const LoggedTxn& txn) {
  std::string out = jute::printed(txn.header);
  out += ' ';
  out += std::visit([](const auto& record) { return jute::printed(record); }, txn.body);
  return out;
}

}  // namespace tandem::coord::records
