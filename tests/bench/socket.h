// Blocking TCP to loopback addresses only: a load generator here never sends a byte to another machine.
// Every read has a deadline (monotonic nanoseconds).
#pragma once

#include <netinet/in.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tandem::bench {

std::uint64_t now_ns();
inline constexpr std::uint64_t kSecondNs = 1'000'000'000;
void pass_time(std::uint64_t until_ns);  // the measured window itself

sockaddr_in loopback_address(const std::string& host_and_port);
int connect_to(const sockaddr_in& address);  // -1 when refused
int listen_on(const std::string& port);

bool send_all(int fd, std::string_view bytes);
// Reads exactly `count` bytes before the deadline; false on close or deadline.
bool read_exactly(int fd, char* out, std::size_t count, std::uint64_t deadline_ns);
// A frame: its 4-byte length and body; false on close, deadline or a length outside [min, max].
bool read_frame(int fd, std::string& body, std::size_t min, std::size_t max, std::uint64_t deadline_ns);

}  // namespace tandem::bench
