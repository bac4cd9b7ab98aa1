// A null server: ZooKeeper framing and canned replies on one event loop, no state. Its rate under the same
// generator is the ceiling for any server on this machine. With a log file, writes are answered after an
// fdatasync shared by all that arrived meanwhile (a zeroed 256 MiB ring): the ceiling of group commit.
#pragma once

#include <cstdint>
#include <string>

namespace tandem::bench {

void serve_null(const std::string& port, const std::string& log_path, std::size_t value_bytes,
                double seconds);

}  // namespace tandem::bench
