// Transactions for tests: a tree with a running zxid, changed through payloads as the server makes them.
// Owned by the test case; nothing here checks anything.
#pragma once

#include <string>
#include <utility>

#include "coord/records/txn.h"
#include "coord/tree/data_tree.h"

namespace tandem::coord::tree {

inline std::string payload_of(std::int64_t zxid, records::Txn body, jute::OpCode type,
                              std::int64_t session = 0x77) {
  records::TxnHeader header;
  header.client_id = jute::SessionId(session);
  header.cxid = 1;
  header.zxid = jute::Zxid(zxid);
  header.time = 1'000'000 + zxid;
  header.type = type;
  std::string out;
  records::encode_payload(out, header, body, nullptr);
  return out;
}

struct TestTree {
  DataTree tree{TreeOptions{.extended_types = true, .digest = true, .hash_seed = 42}};
  std::int64_t zxid = 0;
  ApplyResult result;
  ChangeListener* listener = nullptr;

  jute::ErrorCode run(records::Txn body, jute::OpCode type, std::int64_t session = 0x77) {
    const std::string payload = payload_of(++zxid, std::move(body), type, session);
    const base::Status status = tree.apply(payload, listener, result);
    return status ? result.op.err : jute::ErrorCode::marshalling_error;
  }
  jute::ErrorCode create(const std::string& path, const std::string& data = "", std::int64_t owner = 0) {
    records::CreateTxn txn;
    txn.path = path;
    txn.data = data;
    txn.acl = jute::open_acl();
    txn.ephemeral = owner != 0;
    return run(std::move(txn), jute::OpCode::create2, owner == 0 ? 0x77 : owner);
  }
  jute::ErrorCode remove(const std::string& path) {
    return run(records::DeleteTxn{path}, jute::OpCode::remove);
  }
  jute::ErrorCode set(const std::string& path, const std::string& data, std::int32_t version) {
    return run(records::SetDataTxn{path, data, version}, jute::OpCode::set_data);
  }
  jute::Stat stat(const std::string& path) { return tree.stat(tree.find(path)); }
};

}  // namespace tandem::coord::tree
