#include "coord/shell/client_table.h"

#include "net/connection.h"
#include "net/loop.h"

namespace tandem::coord::shell {

using pipeline::LinkId;

namespace {

// A link whose waiting requests have produced a megabyte goes on when its client has read most of it. That is
// looked up, not signalled: it is rare, and the delay is the slow reader's own.
constexpr std::size_t kOutputLow = 128 * 1024;
constexpr base::Duration kOutputLook = std::chrono::milliseconds(5);

}  // namespace

ClientTable::ClientTable(net::Loop& loop, std::function<void(LinkId)> on_drained,
                         std::function<void()> on_looked)
    : loop_(loop),
      on_drained_(std::move(on_drained)),
      on_looked_(std::move(on_looked)),
      output_timer_(loop, [this] { look_at_output(); }) {}

ClientTable::~ClientTable() = default;

void ClientTable::add(LinkId link, net::Connection& connection) {
  const std::uint32_t slot = pipeline::slot_of(link);
  if (slot >= links_.size()) links_.resize(slot + 1);
  links_[slot] = {link, &connection};
}

void ClientTable::remove(LinkId link) {
  const std::uint32_t slot = pipeline::slot_of(link);
  if (slot < links_.size() && links_[slot].link == link) links_[slot] = Entry();
}

net::Connection* ClientTable::find(LinkId link) const {
  const std::uint32_t slot = pipeline::slot_of(link);
  return slot < links_.size() && links_[slot].link == link ? links_[slot].connection : nullptr;
}

std::string& ClientTable::output(LinkId link) {
  net::Connection* to = find(link);
  if (to != nullptr && to->is_open()) return to->output();
  nowhere_.clear();
  return nowhere_;
}

void ClientTable::close(LinkId link) {
  if (net::Connection* to = find(link)) to->close_after_output();
}

void ClientTable::resume(LinkId link) {
  if (net::Connection* to = find(link)) to->resume_reading();
}

void ClientTable::await_output(LinkId link) {
  awaiting_output_.push_back(link);
  output_timer_.set(loop_.clock().now() + kOutputLook);
}

void ClientTable::look_at_output() {
  for (const LinkId link : std::exchange(awaiting_output_, {})) {
    const net::Connection* to = find(link);
    if (to == nullptr) continue;
    if (to->unsent_bytes() <= kOutputLow) {
      on_drained_(link);
    } else {
      awaiting_output_.push_back(link);
    }
  }
  if (!awaiting_output_.empty()) output_timer_.set(loop_.clock().now() + kOutputLook);
  on_looked_();
}

}  // namespace tandem::coord::shell
