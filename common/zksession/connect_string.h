// "host:port,[v6]:port,host/chroot": what users give to reach an ensemble. Same rules as Apache's
// ConnectStringParser: port 2181 unless given, everything from the first slash on is the chroot, "/" is none.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tandem::zksession {

struct Host {
  std::string name;
  std::uint16_t port = 2181;

  bool operator==(const Host&) const = default;
};

struct ConnectString {
  std::vector<Host> hosts;
  std::string chroot;  // "" or a valid path
};

base::Result<ConnectString> parse_connect_string(std::string_view text);

// Apache's PathUtils.validatePath: the sentence of what is wrong, with its wording, or nothing.
std::string path_fault(std::string_view path);

}  // namespace tandem::zksession
