#include "broker/shell/producer_id_service.h"

#include "broker/zk/controller.h"
#include "broker/zk/paths.h"

namespace tandem::broker::shell {

void ProducerIdService::next(Done done) {
  std::int64_t id = -1;
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    if (next_ < end_ && waiting_.empty()) {
      id = next_++;
    } else if (waiting_.size() < kWaitingMax) {
      waiting_.push_back(std::move(done));
      first = waiting_.size() == 1;
    } else {
      id = -2;
    }
  }
  if (id >= 0) {
    done(id);
  } else if (id == -2) {
    done(base::make_error(base::Errc::limit_exceeded, "too many requests wait for a block of producer ids"));
  } else if (first) {
    claim(0);
  }
}

void ProducerIdService::claim(int attempt) {
  if (attempt >= kAttemptsMax) {
    fail("a block of producer ids could not be claimed: others keep claiming");
    return;
  }
  std::vector<zk::ZkOp> ops;
  ops.push_back(zk::get_op(std::string(zk::kProducerIdBlockPath)));
  control_.perform(std::move(ops), [this, attempt](std::vector<zk::ZkResult> results) {
    on_read(attempt, std::move(results));
  });
}

void ProducerIdService::on_read(int attempt, std::vector<zk::ZkResult> results) {
  if (results.empty() || !results.front().ok()) {
    fail("the block of producer ids could not be read from the coordination service");
    return;
  }
  zk::ProducerIdBlock block{broker_id_, 0, zk::kProducerIdBlockSize - 1};
  if (!results.front().data.empty()) {
    const auto last = zk::decode_producer_ids(results.front().data);
    if (!last) {
      fail(last.error().context);
      return;
    }
    block.first = last->last + 1;
    block.last = last->last + zk::kProducerIdBlockSize;
  }
  std::vector<zk::ZkOp> ops;
  ops.push_back(zk::set_op(std::string(zk::kProducerIdBlockPath), zk::encode_producer_ids(block),
                           results.front().stat.version));
  control_.perform(std::move(ops), [this, attempt, block](std::vector<zk::ZkResult> written) {
    if (written.empty()) {
      fail("the session was lost while a block of producer ids was claimed");
    } else if (written.front().ok()) {
      serve(block.first, block.last);
    } else {
      claim(attempt + 1);
    }
  });
}

void ProducerIdService::fail(const std::string& reason) {
  std::deque<Done> waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting.swap(waiting_);
  }
  for (auto& done : waiting) done(base::make_error(base::Errc::unavailable, "{}", reason));
}

void ProducerIdService::serve(std::int64_t first, std::int64_t last) {
  std::vector<std::pair<Done, std::int64_t>> served;
  bool more = false;
  {
    const std::lock_guard lock(mutex_);
    next_ = first;
    end_ = last + 1;
    while (!waiting_.empty() && next_ < end_) {
      served.emplace_back(std::move(waiting_.front()), next_++);
      waiting_.pop_front();
    }
    more = !waiting_.empty();
  }
  for (auto& [done, id] : served) done(id);
  if (more) claim(0);
}

}  // namespace tandem::broker::shell
