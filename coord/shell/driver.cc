#include "coord/shell/driver.h"

#include "net/connection.h"
#include "net/loop.h"

namespace tandem::coord::shell {

using pipeline::LinkId;

Driver::Driver(net::Loop& loop, PersistBatch persist)
    : loop_(loop),
      persist_(std::move(persist)),
      timer_(loop, [this] { on_timer(); }),
      clients_(
          loop,
          [this](LinkId link) {
            now_known_ = false;
            core_->on_output_drained(link, now());
          },
          [this] { end_turn(); }) {}

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

LinkId Driver::open_link(net::Connection& connection) {
  now_known_ = false;  // frames end a reading of the clocks, and this link may never send one
  const LinkId link = core_->open_link(connection.peer().host, connection.peer().port, now());
  clients_.add(link, connection);
  now_known_ = false;
  return link;
}

void Driver::on_frame(LinkId link, std::string_view frame, net::Connection& connection) {
  core_->on_frame(link, frame, now());
  if (core_->is_choked(link)) connection.pause_reading();
  if (core_->has_effects()) turn_later();
}

void Driver::on_closed(LinkId link) {
  clients_.remove(link);
  core_->on_link_closed(link);
  if (core_->has_effects()) turn_later();
}

void Driver::on_durable(jute::Zxid zxid) {
  now_known_ = false;
  core_->on_committed(zxid, now());
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
    clients_.close(close->link);
  } else if (const auto* resume = std::get_if<pipeline::ResumeLink>(&effect)) {
    clients_.resume(resume->link);
  } else if (const auto* await = std::get_if<pipeline::AwaitOutput>(&effect)) {
    clients_.await_output(await->link);
  }
}

}  // namespace tandem::coord::shell
