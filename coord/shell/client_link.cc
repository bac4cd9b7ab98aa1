#include "coord/shell/client_link.h"

#include "coord/shell/client_port.h"
#include "coord/shell/four_letter.h"

namespace tandem::coord::shell {

namespace {

constexpr std::size_t kWordSize = 4;
constexpr std::size_t kTraceMaskSize = 8;  // follows stmk

}  // namespace

base::Result<std::size_t> ClientLink::frame_size(std::string_view head) {
  if (head.size() < kWordSize) return std::size_t{0};
  if (link_.value == 0 && is_four_letter_word(head.substr(0, kWordSize)))
    return head.starts_with("stmk") ? kWordSize + kTraceMaskSize : kWordSize;
  return net::length_prefixed(head, port_.options().frame_bytes_max);
}

void ClientLink::on_frame(net::Connection& connection, const net::Frame& frame) {
  const std::string_view bytes = frame.bytes();
  if (link_.value == 0) {
    if (is_four_letter_word(bytes.substr(0, kWordSize))) return run_word(connection, bytes);
    link_ = port_.clients().open_link(connection);
    if (link_.value == 0) return connection.close();
    connection.set_idle_max(base::Duration::zero());  // from now on the session has a deadline
  }
  port_.clients().on_frame(link_, bytes.substr(kWordSize), connection);
}

void ClientLink::on_frames_end(net::Connection&) { port_.clients().on_frames_end(); }

void ClientLink::run_word(net::Connection& connection, std::string_view word) {
  port_.words().run(word, connection.output());
  connection.close_after_output();
}

void ClientLink::on_closed(net::Connection&, const base::Error& reason) {
  if (reason.code == base::Errc::corrupt)
    port_.logger().warn("closing the connection of {}: {}", address_, reason.context);
  if (link_.value != 0) port_.clients().on_closed(link_);
  port_.on_gone(address_);
}

}  // namespace tandem::coord::shell
