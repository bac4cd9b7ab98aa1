#include "broker/zk/zk_op.h"

#include <fmt/core.h>

namespace tandem::broker::zk {
namespace {

ZkOp op(ZkKind kind, std::string path, bool watch = false) {
  ZkOp out;
  out.kind = kind;
  out.path = std::move(path);
  out.watch = watch;
  return out;
}

std::string payload(const ZkOp& op) { return op.null_data ? "null" : op.data; }

}  // namespace

ZkOp create_op(std::string path, std::string data) {
  ZkOp out = op(ZkKind::create, std::move(path));
  out.data = std::move(data);
  return out;
}

ZkOp create_empty_op(std::string path) {
  ZkOp out = op(ZkKind::create, std::move(path));
  out.null_data = true;
  return out;
}

ZkOp remove_op(std::string path, std::int32_t version) {
  ZkOp out = op(ZkKind::remove, std::move(path));
  out.version = version;
  return out;
}

ZkOp set_op(std::string path, std::string data, std::int32_t version) {
  ZkOp out = op(ZkKind::set, std::move(path));
  out.data = std::move(data);
  out.version = version;
  return out;
}

ZkOp check_op(std::string path, std::int32_t version) {
  ZkOp out = op(ZkKind::check, std::move(path));
  out.version = version;
  return out;
}

ZkOp get_op(std::string path, bool watch) { return op(ZkKind::get, std::move(path), watch); }

ZkOp exists_op(std::string path, bool watch) { return op(ZkKind::exists, std::move(path), watch); }

ZkOp children_op(std::string path, bool watch) { return op(ZkKind::children, std::move(path), watch); }

ZkOp sync_op(std::string path) { return op(ZkKind::sync, std::move(path)); }

ZkOp multi_op(std::vector<ZkOp> parts) {
  ZkOp out = op(ZkKind::multi, {});
  out.parts = std::move(parts);
  return out;
}

std::string ZkOp::text() const {
  const std::string_view watching = watch ? " watch" : "";
  switch (kind) {
    case ZkKind::create:
      return fmt::format("create{}{} {} {}", ephemeral ? " -e" : "", sequential ? " -s" : "", path,
                         payload(*this));
    case ZkKind::remove:
      return fmt::format("delete {} v={}", path, version);
    case ZkKind::set:
      return fmt::format("set {} {} v={}", path, payload(*this), version);
    case ZkKind::check:
      return fmt::format("check {} v={}", path, version);
    case ZkKind::get:
      return fmt::format("get {}{}", path, watching);
    case ZkKind::exists:
      return fmt::format("exists {}{}", path, watching);
    case ZkKind::children:
      return fmt::format("children {}{}", path, watching);
    case ZkKind::sync:
      return fmt::format("sync {}", path);
    case ZkKind::multi:
      break;
  }
  std::string out = "multi [";
  for (const auto& part : parts) out += (out.size() > 7 ? "; " : "") + part.text();
  return out + "]";
}

}  // namespace tandem::broker::zk
