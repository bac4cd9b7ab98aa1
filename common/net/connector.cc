#include "net/connector.h"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <vector>

#include "net/loop.h"

namespace tandem::net {

namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

class Attempt final : public std::enable_shared_from_this<Attempt> {
 public:
  Attempt(Loop& loop, Endpoint endpoint, std::function<void(base::Result<Socket>)> done)
      : endpoint_(std::move(endpoint)),
        done_(std::move(done)),
        resolver_(loop.context()),
        socket_(loop.context()),
        deadline_(loop.context()) {}

  void start(base::Duration timeout) {
    deadline_.expires_after(timeout);
    deadline_.async_wait([self = shared_from_this()](const error_code& error) {
      if (!error) self->finish(self->failure(base::Errc::timed_out, "timed out"));
    });
    error_code not_numeric;
    const auto address = boost::asio::ip::make_address(endpoint_.host, not_numeric);
    if (!not_numeric) {
      addresses_.emplace_back(address, endpoint_.port);
      return try_next();
    }
    resolver_.async_resolve(endpoint_.host, std::to_string(endpoint_.port),
                            [self = shared_from_this()](const error_code& error, const auto& results) {
                              if (!self->done_) return;
                              if (error)
                                return self->finish(self->failure(base::Errc::unavailable, error.message()));
                              for (const auto& result : results)
                                self->addresses_.push_back(result.endpoint());
                              self->try_next();
                            });
  }

  void cancel() {
    done_ = nullptr;
    stop();
  }

 private:
  base::Error failure(base::Errc code, const std::string& why) const {
    return base::make_error(code, "cannot connect to {}: {}", to_string(endpoint_), why);
  }

  void try_next() {
    if (next_ == addresses_.size()) {
      const bool refused = next_ > 0 && refusals_ == next_;
      return finish(failure(refused ? base::Errc::closed : base::Errc::unavailable, last_error_));
    }
    error_code ignored;
    socket_.close(ignored);
    socket_.async_connect(addresses_[next_++], [self = shared_from_this()](const error_code& error) {
      if (!self->done_) return;
      if (error) {
        self->last_error_ = error.message();
        if (error == boost::asio::error::connection_refused) ++self->refusals_;
        return self->try_next();
      }
      error_code bad;
      const int fd = self->socket_.release(bad);
      if (bad) return self->finish(self->failure(base::Errc::io, bad.message()));
      Socket socket(fd);
      socket.set_no_delay();
      self->finish(std::move(socket));
    });
  }

  void stop() {
    deadline_.cancel();
    resolver_.cancel();
    error_code ignored;
    socket_.close(ignored);
  }

  void finish(base::Result<Socket> result) {
    if (!done_) return;
    const auto done = std::exchange(done_, nullptr);
    stop();
    done(std::move(result));
  }

  Endpoint endpoint_;
  std::function<void(base::Result<Socket>)> done_;
  tcp::resolver resolver_;
  tcp::socket socket_;
  boost::asio::steady_timer deadline_;
  std::vector<tcp::endpoint> addresses_;
  std::size_t next_ = 0;
  std::size_t refusals_ = 0;
  std::string last_error_ = "no address";
};

// What the caller holds; the attempt itself lives until its last operation has ended.
class Held final : public Connecting {
 public:
  explicit Held(std::shared_ptr<Attempt> attempt) : attempt_(std::move(attempt)) {}
  ~Held() override { attempt_->cancel(); }
  void cancel() override { attempt_->cancel(); }

 private:
  std::shared_ptr<Attempt> attempt_;
};

}  // namespace

std::shared_ptr<Connecting> connect(Loop& loop, const Endpoint& endpoint, base::Duration timeout,
                                    std::function<void(base::Result<Socket>)> done) {
  auto attempt = std::make_shared<Attempt>(loop, endpoint, std::move(done));
  attempt->start(timeout);
  return std::make_shared<Held>(std::move(attempt));
}

}  // namespace tandem::net
