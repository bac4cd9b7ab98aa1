#include "coord/shell/driver.h"

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

Driver::Driver(net::Loop& loop, PersistBatch persist)
    : loop_(loop),
      persist_(std::move(persist)),
      timer_(loop, [this] { on_timer(); }),
      output_timer_(loop, [this] { look_at_output(); }) {}

Driver::~Driver() = default;

void Driver::start(pipeline::Pipeline& core) {
  core_ = &core;
  timer_.set(core.next_deadline());
}

// One reading of the clocks serves all frames of a connection's wake-up.
pipeline::Now Driver::now() {
  if (!now_known_) {
    now_ = {loop_.clock().now(), loop_.clock().wall()};
    now_known_ = true;
  }
  return now_;
}

net::Connection* Driver::connection(LinkId link) const {
  const std::uint32_t slot = pipeline::slot_of(link);
  return slot < links_.size() && links_[slot].link == link ? links_[slot].connection : nullptr;
}

std::string& Driver::output(LinkId link) {
  net::Connection* to = connection(link);
  if (to != nullptr && to->is_open()) return to->output();
  nowhere_.clear();
  return nowhere_;
}

LinkId Driver::open_link(net::Connection& connection) {
  now_known_ = false;  // frames end a reading of the clocks, and this link may never send one
  const LinkId link = core_->open_link(connection.peer().host, connection.peer().port, now());
  const std::uint32_t slot = pipeline::slot_of(link);
  if (slot >= links_.size()) links_.resize(slot + 1);
  links_[slot] = {link, &connection};
  now_known_ = false;
  return link;
}

void Driver::on_frame(LinkId link, std::string_view frame, net::Connection& connection) {
  core_->on_frame(link, frame, now());
  if (core_->is_choked(link)) connection.pause_reading();
  if (core_->has_effects()) turn_later();
}

void Driver::on_closed(LinkId link) {
  const std::uint32_t slot = pipeline::slot_of(link);
  if (slot < links_.size() && links_[slot].link == link) links_[slot] = Entry();
  core_->on_link_closed(link);
  if (core_->has_effects()) turn_later();
}

void Driver::on_durable(jute::Zxid zxid) {
  now_known_ = false;
  core_->on_durable(zxid, now());
  end_turn();
}

void Driver::on_log_full() {
  now_known_ = false;
  core_->on_log_full(now());
  end_turn();
}

void Driver::on_log_space() {
  now_known_ = false;
  core_->on_log_space(now());
  end_turn();
}

void Driver::on_timer() {
  now_known_ = false;
  core_->on_deadline(now());
  end_turn();
}

void Driver::turn_later() {
  if (turn_scheduled_) return;
  turn_scheduled_ = true;
  loop_.defer([this] {
    turn_scheduled_ = false;
    end_turn();
  });
}

// Performing an effect may cause others: a connection that closes takes its link with it.
void Driver::end_turn() {
  now_known_ = false;
  while (core_->has_effects()) {
    for (const pipeline::Effect& effect : core_->take_effects()) perform(effect);
  }
  timer_.set(core_->next_deadline());
}

void Driver::perform(const pipeline::Effect& effect) {
  if (const auto* persist = std::get_if<pipeline::Persist>(&effect)) {
    persist_(*persist->batch);
  } else if (const auto* close = std::get_if<pipeline::CloseLink>(&effect)) {
    if (net::Connection* to = connection(close->link)) to->close_after_output();
  } else if (const auto* resume = std::get_if<pipeline::ResumeLink>(&effect)) {
    if (net::Connection* to = connection(resume->link)) to->resume_reading();
  } else if (const auto* await = std::get_if<pipeline::AwaitOutput>(&effect)) {
    awaiting_output_.push_back(await->link);
    output_timer_.set(now().at + kOutputLook);
  }
}

void Driver::look_at_output() {
  now_known_ = false;
  for (const LinkId link : std::exchange(awaiting_output_, {})) {
    const net::Connection* to = connection(link);
    if (to == nullptr) continue;
    if (to->unsent_bytes() <= kOutputLow) {
      core_->on_output_drained(link, now());
    } else {
      awaiting_output_.push_back(link);
    }
  }
  if (!awaiting_output_.empty()) output_timer_.set(now().at + kOutputLook);
  end_turn();
}

}  // namespace tandem::coord::shell
