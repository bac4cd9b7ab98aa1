#include "tools/service/zoo_config.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "conf/properties.h"

namespace tandem::tools::service {

std::string ZooConfig::locate(Invocation& invocation) {
  auto& args = invocation.args;
  std::string directory = invocation.variable("ZOOCFGDIR").value_or("");
  if (args.size() > 1 && args[0] == "--config") {
    directory = args[1];
    args.erase(args.begin(), args.begin() + 2);
  }
  if (directory.empty()) {
    directory = invocation.home() + "/conf";
    if (!std::filesystem::exists(directory)) directory = invocation.home() + "/etc/zookeeper";
  }
  return directory + "/" + invocation.variable("ZOOCFG").value_or("zoo.cfg");
}

std::string ZooConfig::locate(const std::string& fallback, const std::string& named) {
  if (named.find('/') != std::string::npos) return named;
  const std::filesystem::path beside = std::filesystem::path(fallback).parent_path() / named;
  return beside.string();
}

base::Result<ZooConfig> ZooConfig::read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file) return base::make_error(base::Errc::io, "cannot read {}: {}", path, std::strerror(errno));
  const auto entries = conf::parse_properties(text.str(), path);
  if (!entries) return entries.error();
  ZooConfig config;
  for (const conf::Entry& entry : *entries) config.values_[entry.key] = entry.value;
  return config;
}

std::optional<std::string> ZooConfig::get(const std::string& key) const {
  const auto it = values_.find(key);
  if (it == values_.end() || it->second.empty()) return std::nullopt;
  return it->second;
}

std::string log_directory(const Invocation& invocation) {
  return invocation.variable("ZOO_LOG_DIR").value_or(invocation.home() + "/logs");
}

}  // namespace tandem::tools::service
