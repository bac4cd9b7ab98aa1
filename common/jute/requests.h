// Request and reply records of the operations, in wire order; opcodes.h says which operation uses which.
// Source: module org.apache.zookeeper.proto of zookeeper.jute. The *View records are the same bytes with
// paths and data left in the frame, for the server's hot path.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "jute/data.h"
#include "jute/fields.h"
#include "jute/ids.h"

namespace tandem::jute {

// The flags of a create: the type of node.
enum class CreateMode : std::int32_t {
  persistent = 0,
  ephemeral = 1,
  persistent_sequential = 2,
  ephemeral_sequential = 3,
  container = 4,
  persistent_with_ttl = 5,
  persistent_sequential_with_ttl = 6,
};

enum class AddWatchMode : std::int32_t { persistent = 0, persistent_recursive = 1 };

// What checkWatches and removeWatches are about.
enum class WatcherType : std::int32_t {
  children = 1,
  data = 2,
  any = 3,
  persistent = 4,
  persistent_recursive = 5,
};

// create, create2, createContainer; flags as CreateMode below numbers them.
struct CreateRequest {
  std::string path;
  Buffer data;
  std::vector<ACL> acl;
  std::int32_t flags = 0;

  void describe(Fields& f) {
    f("path", path);
    f("data", data);
    f("acl", acl);
    f("flags", flags);
  }
  bool operator==(const CreateRequest&) const = default;
};

struct CreateTTLRequest {
  std::string path;
  Buffer data;
  std::vector<ACL> acl;
  std::int32_t flags = 0;
  std::int64_t ttl_ms = 0;

  void describe(Fields& f) {
    f("path", path);
    f("data", data);
    f("acl", acl);
    f("flags", flags);
    f("ttl", ttl_ms);
  }
  bool operator==(const CreateTTLRequest&) const = default;
};

struct CreateRequestView {
  std::string_view path;
  BufferView data;
  std::vector<ACL> acl;
  std::int32_t flags = 0;

  void describe(Fields& f) {
    f("path", path);
    f("data", data);
    f("acl", acl);
    f("flags", flags);
  }
  bool operator==(const CreateRequestView&) const = default;
};

struct CreateResponse {
  std::string path;

  void describe(Fields& f) { f("path", path); }
  bool operator==(const CreateResponse&) const = default;
};

struct Create2Response {
  std::string path;
  Stat stat;

  void describe(Fields& f) {
    f("path", path);
    f("stat", stat);
  }
  bool operator==(const Create2Response&) const = default;
};

struct DeleteRequest {
  std::string path;
  std::int32_t version = -1;

  void describe(Fields& f) {
    f("path", path);
    f("version", version);
  }
  bool operator==(const DeleteRequest&) const = default;
};

struct DeleteContainerRequest {
  std::string path;

  void describe(Fields& f) { f("path", path); }
  bool operator==(const DeleteContainerRequest&) const = default;
};

struct CheckVersionRequest {
  std::string path;
  std::int32_t version = -1;

  void describe(Fields& f) {
    f("path", path);
    f("version", version);
  }
  bool operator==(const CheckVersionRequest&) const = default;
};

// exists, getData, getChildren and getChildren2 share this shape.
struct PathWatchRequest {
  std::string path;
  bool watch = false;

  void describe(Fields& f) {
    f("path", path);
    f("watch", watch);
  }
  bool operator==(const PathWatchRequest&) const = default;
};

struct PathWatchRequestView {
  std::string_view path;
  bool watch = false;

  void describe(Fields& f) {
    f("path", path);
    f("watch", watch);
  }
  bool operator==(const PathWatchRequestView&) const = default;
};

struct ExistsResponse {
  Stat stat;

  void describe(Fields& f) { f("stat", stat); }
  bool operator==(const ExistsResponse&) const = default;
};

struct GetDataResponse {
  Buffer data;
  Stat stat;

  void describe(Fields& f) {
    f("data", data);
    f("stat", stat);
  }
  bool operator==(const GetDataResponse&) const = default;
};

struct GetDataResponseView {
  BufferView data;
  Stat stat;

  void describe(Fields& f) {
    f("data", data);
    f("stat", stat);
  }
  bool operator==(const GetDataResponseView&) const = default;
};

struct SetDataRequest {
  std::string path;
  Buffer data;
  std::int32_t version = -1;

  void describe(Fields& f) {
    f("path", path);
    f("data", data);
    f("version", version);
  }
  bool operator==(const SetDataRequest&) const = default;
};

struct SetDataRequestView {
  std::string_view path;
  BufferView data;
  std::int32_t version = -1;

  void describe(Fields& f) {
    f("path", path);
    f("data", data);
    f("version", version);
  }
  bool operator==(const SetDataRequestView&) const = default;
};

struct SetDataResponse {
  Stat stat;

  void describe(Fields& f) { f("stat", stat); }
  bool operator==(const SetDataResponse&) const = default;
};

struct GetChildrenResponse {
  std::vector<std::string> children;

  void describe(Fields& f) { f("children", children); }
  bool operator==(const GetChildrenResponse&) const = default;
};

struct GetChildren2Response {
  std::vector<std::string> children;
  Stat stat;

  void describe(Fields& f) {
    f("children", children);
    f("stat", stat);
  }
  bool operator==(const GetChildren2Response&) const = default;
};

struct GetACLRequest {
  std::string path;

  void describe(Fields& f) { f("path", path); }
  bool operator==(const GetACLRequest&) const = default;
};

struct GetACLResponse {
  std::vector<ACL> acl;
  Stat stat;

  void describe(Fields& f) {
    f("acl", acl);
    f("stat", stat);
  }
  bool operator==(const GetACLResponse&) const = default;
};

struct SetACLRequest {
  std::string path;
  std::vector<ACL> acl;
  std::int32_t version = -1;

  void describe(Fields& f) {
    f("path", path);
    f("acl", acl);
    f("version", version);
  }
  bool operator==(const SetACLRequest&) const = default;
};

struct SetACLResponse {
  Stat stat;

  void describe(Fields& f) { f("stat", stat); }
  bool operator==(const SetACLResponse&) const = default;
};

struct SyncRequest {
  std::string path;

  void describe(Fields& f) { f("path", path); }
  bool operator==(const SyncRequest&) const = default;
};

struct SyncResponse {
  std::string path;

  void describe(Fields& f) { f("path", path); }
  bool operator==(const SyncResponse&) const = default;
};

struct ReconfigRequest {
  Buffer joining_servers;
  Buffer leaving_servers;
  Buffer new_members;
  std::int64_t cur_config_id = -1;

  void describe(Fields& f) {
    f("joiningServers", joining_servers);
    f("leavingServers", leaving_servers);
    f("newMembers", new_members);
    f("curConfigId", cur_config_id);
  }
  bool operator==(const ReconfigRequest&) const = default;
};

struct SetWatches {
  Zxid relative_zxid;
  std::vector<std::string> data_watches;
  std::vector<std::string> exist_watches;
  std::vector<std::string> child_watches;

  void describe(Fields& f) {
    f("relativeZxid", relative_zxid);
    f("dataWatches", data_watches);
    f("existWatches", exist_watches);
    f("childWatches", child_watches);
  }
  bool operator==(const SetWatches&) const = default;
};

struct SetWatches2 {
  Zxid relative_zxid;
  std::vector<std::string> data_watches;
  std::vector<std::string> exist_watches;
  std::vector<std::string> child_watches;
  std::vector<std::string> persistent_watches;
  std::vector<std::string> persistent_recursive_watches;

  void describe(Fields& f) {
    f("relativeZxid", relative_zxid);
    f("dataWatches", data_watches);
    f("existWatches", exist_watches);
    f("childWatches", child_watches);
    f("persistentWatches", persistent_watches);
    f("persistentRecursiveWatches", persistent_recursive_watches);
  }
  bool operator==(const SetWatches2&) const = default;
};

struct AddWatchRequest {
  std::string path;
  AddWatchMode mode = AddWatchMode::persistent;

  void describe(Fields& f) {
    f("path", path);
    f("mode", mode);
  }
  bool operator==(const AddWatchRequest&) const = default;
};

struct CheckWatchesRequest {
  std::string path;
  WatcherType type = WatcherType::any;

  void describe(Fields& f) {
    f("path", path);
    f("type", type);
  }
  bool operator==(const CheckWatchesRequest&) const = default;
};

struct RemoveWatchesRequest {
  std::string path;
  WatcherType type = WatcherType::any;

  void describe(Fields& f) {
    f("path", path);
    f("type", type);
  }
  bool operator==(const RemoveWatchesRequest&) const = default;
};

struct GetEphemeralsRequest {
  std::string prefix_path;

  void describe(Fields& f) { f("prefixPath", prefix_path); }
  bool operator==(const GetEphemeralsRequest&) const = default;
};

struct GetEphemeralsResponse {
  std::vector<std::string> ephemerals;

  void describe(Fields& f) { f("ephemerals", ephemerals); }
  bool operator==(const GetEphemeralsResponse&) const = default;
};

struct GetAllChildrenNumberRequest {
  std::string path;

  void describe(Fields& f) { f("path", path); }
  bool operator==(const GetAllChildrenNumberRequest&) const = default;
};

struct GetAllChildrenNumberResponse {
  std::int32_t total_number = 0;

  void describe(Fields& f) { f("totalNumber", total_number); }
  bool operator==(const GetAllChildrenNumberResponse&) const = default;
};

struct ClientInfo {
  std::string auth_scheme;
  std::string user;

  void describe(Fields& f) {
    f("authScheme", auth_scheme);
    f("user", user);
  }
  bool operator==(const ClientInfo&) const = default;
};

struct WhoAmIResponse {
  std::vector<ClientInfo> client_info;

  void describe(Fields& f) { f("clientInfo", client_info); }
  bool operator==(const WhoAmIResponse&) const = default;
};

}  // namespace tandem::jute
