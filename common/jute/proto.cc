#include "jute/proto.h"

namespace tandem::jute {

const char* to_string(EventType type) {
  switch (type) {
    case EventType::none:
      return "None";
    case EventType::node_created:
      return "NodeCreated";
    case EventType::node_deleted:
      return "NodeDeleted";
    case EventType::node_data_changed:
      return "NodeDataChanged";
    case EventType::node_children_changed:
      return "NodeChildrenChanged";
    case EventType::data_watch_removed:
      return "DataWatchRemoved";
    case EventType::child_watch_removed:
      return "ChildWatchRemoved";
    case EventType::persistent_watch_removed:
      return "PersistentWatchRemoved";
  }
  return "Unknown";  // a number from a peer
}

const char* to_string(KeeperState state) {
  switch (state) {
    case KeeperState::unknown:
      return "Unknown";
    case KeeperState::disconnected:
      return "Disconnected";
    case KeeperState::no_sync_connected:
      return "NoSyncConnected";
    case KeeperState::sync_connected:
      return "SyncConnected";
    case KeeperState::auth_failed:
      return "AuthFailed";
    case KeeperState::connected_read_only:
      return "ConnectedReadOnly";
    case KeeperState::sasl_authenticated:
      return "SaslAuthenticated";
    case KeeperState::closed:
      return "Closed";
    case KeeperState::expired:
      return "Expired";
  }
  return "Unknown";  // a number from a peer
}

}  // namespace tandem::jute
