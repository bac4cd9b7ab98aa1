#include <fmt/core.h>

#include <array>
#include <ctime>

#include "base/clock.h"
#include "base/random.h"
#include "tools/kafka/commands.h"
#include "tools/kafka/rdkafka_client.h"

namespace tandem::tools::kafka {

namespace {

constexpr std::string_view kPerfConsumerName = "kafka-consumer-perf-test.sh";
constexpr auto kPerfConsumerOptions = std::to_array<Option>({
    kBootstrapServer,
    {"broker-list", "host:port", "The older name of --bootstrap-server."},
    {"topic", "name", "The topic to consume."},
    {"messages", "number", "How many records to consume."},
    {"group", "id", "The consumer group."},
    {"from-latest", "", "Start at the end when the group has no position."},
    {"timeout", "ms", "Give up when no record comes for so long, 10000 by default."},
    {"fetch-size", "bytes", "Bytes to fetch at once, 1048576 by default."},
    {"socket-buffer-size", "bytes", "Size of the socket's receive buffer, 2097152 by default."},
    {"threads", "number", "Accepted."},
    {"num-fetch-threads", "number", "Accepted."},
    {"consumer.config", "file", "Properties of the consumer."},
    {"hide-header", "", "Leave the first line out."},
    {"show-detailed-stats", "", "Accepted; one line is printed."},
    {"reporting-interval", "ms", "Accepted."},
    {"date-format", "format", "Accepted."},
    {"print-metrics", "", "Accepted; there are no metrics to print."},
    kHelp,
    kVersion,
});

std::string date_text(base::WallTime time) {
  const std::time_t seconds = time.ms / 1000;
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts);
  return fmt::format("{}:{:03}", text.data(), time.ms % 1000);
}

struct Totals {
  std::int64_t records = 0;
  std::int64_t bytes = 0;
  std::int64_t join_ms = 0;  // until the first record
};

Totals consume(rd_kafka_t* consumer, std::int64_t wanted, std::int64_t timeout_ms) {
  const base::SystemClock clock;
  StopSignals signals;
  Totals totals;
  const base::Instant start = clock.now();
  base::Instant last = start;
  while (totals.records < wanted && !signals.stopped()) {
    const std::unique_ptr<rd_kafka_message_t, MessageDeleter> message(
        rd_kafka_consumer_poll(consumer, kPollMilliseconds));
    const base::Instant now = clock.now();
    if (message == nullptr || message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (now - last < base::milliseconds(timeout_ms)) continue;
      fmt::print(
          "WARNING: Exiting before consuming the expected number of messages: timeout ({} ms) exceeded. You "
          "can "
          "use the --timeout option to increase the timeout.\n",
          timeout_ms);
      break;
    }
    if (totals.records == 0)
      totals.join_ms = std::chrono::duration_cast<base::milliseconds>(now - start).count();
    last = now;
    ++totals.records;
    totals.bytes += static_cast<std::int64_t>(message->len + message->key_len);
  }
  return totals;
}

base::Result<Properties> measured_properties(const Options& options) {
  Properties properties;
  if (const auto file = options.get("consumer.config")) {
    if (auto added = add_properties_file(properties, *file); !added) return added.error();
  }
  properties["bootstrap.servers"] = options.get_or("bootstrap-server", options.get_or("broker-list", ""));
  properties["socket.receive.buffer.bytes"] = options.get_or("socket-buffer-size", "2097152");
  properties["max.partition.fetch.bytes"] = options.get_or("fetch-size", "1048576");
  properties["auto.offset.reset"] = options.has("from-latest") ? "latest" : "earliest";
  properties["check.crcs"] = "false";
  base::Random random(base::system_seed());
  properties["group.id"] = options.get_or("group", fmt::format("perf-consumer-{}", random.below(100000)));
  properties.try_emplace("client.id", "perf-consumer-client");
  return properties;
}

base::Status measure_consumer(const Options& options) {
  const auto messages = options.number("messages");
  if (!messages) return messages.error();
  const auto timeout = options.number("timeout");
  if (!timeout) return timeout.error();
  const auto properties = measured_properties(options);
  if (!properties) return properties.error();
  auto consumer = make_client(RD_KAFKA_CONSUMER, *properties);
  if (!consumer) return consumer.error();
  rd_kafka_poll_set_consumer(consumer->get());
  rd_kafka_topic_partition_list_t* topics = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(topics, options.get("topic")->c_str(), RD_KAFKA_PARTITION_UA);
  const auto subscribed = rd_kafka_subscribe(consumer->get(), topics);
  rd_kafka_topic_partition_list_destroy(topics);
  if (subscribed != RD_KAFKA_RESP_ERR_NO_ERROR)
    return base::make_error(base::Errc::invalid_argument, "{}", rd_kafka_err2str(subscribed));

  const base::SystemClock clock;
  const base::WallTime start = clock.wall();
  const Totals totals = consume(consumer->get(), messages->value_or(0), timeout->value_or(10'000));
  const base::WallTime end = clock.wall();
  rd_kafka_consumer_close(consumer->get());
  if (!options.has("hide-header"))
    fmt::print(
        "start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, "
        "rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec\n");
  const double megabytes = static_cast<double>(totals.bytes) / kMegabyte;
  const double seconds = static_cast<double>(std::max<std::int64_t>(end.ms - start.ms, 1)) / 1000;
  const std::int64_t fetch_ms = end.ms - start.ms - totals.join_ms;
  const double fetch_seconds = static_cast<double>(std::max<std::int64_t>(fetch_ms, 1)) / 1000;
  const auto records = static_cast<double>(totals.records);
  fmt::print("{}, {}, {:.4f}, {:.4f}, {}, {:.4f}, {}, {}, {:.4f}, {:.4f}\n", date_text(start), date_text(end),
             megabytes, megabytes / seconds, totals.records, records / seconds, totals.join_ms, fetch_ms,
             megabytes / fetch_seconds, records / fetch_seconds);
  return {};
}

}  // namespace

int consumer_perf_test(const Invocation& invocation) {
  const auto options = Options::parse(kPerfConsumerOptions, invocation.args);
  if (!options) return wrong_usage(options.error().context, kPerfConsumerName, kPerfConsumerOptions);
  if (options->has("help"))
    return wrong_usage("This tool is used to verify the consumer performance.", kPerfConsumerName,
                       kPerfConsumerOptions);
  if (options->has("version")) return print_version();
  if (!options->has("bootstrap-server") && !options->has("broker-list"))
    return wrong_usage("Missing required option(s) [bootstrap-server]", kPerfConsumerName,
                       kPerfConsumerOptions);
  for (const char* name : {"topic", "messages"})
    if (!options->has(name))
      return wrong_usage(fmt::format("Missing required argument \"[{}]\"", name), kPerfConsumerName,
                         kPerfConsumerOptions);
  const auto done = measure_consumer(*options);
  if (done) return 0;
  fmt::print(stderr, "{}\n", done.error().context);
  return 1;
}

}  // namespace tandem::tools::kafka
