#include <fmt/core.h>

#include <array>
#include <cstdio>

#include "base/clock.h"
#include "base/random.h"
#include "tools/kafka/commands.h"
#include "tools/kafka/rdkafka_client.h"
#include "tools/kafka/record_printer.h"
#include "tools/kafka/text.h"

namespace tandem::tools::kafka {

namespace {

constexpr std::string_view kConsoleConsumerName = "kafka-console-consumer.sh";
constexpr auto kConsoleConsumerOptions = std::to_array<Option>({
    kBootstrapServer,
    {"topic", "name", "The topic to consume."},
    {"include", "regex", "Topics to consume."},
    {"whitelist", "regex", "The older name of --include."},
    {"partition", "number", "Consume one partition, without a group."},
    {"offset", "earliest|latest|number", "Where to start in it: latest by default."},
    {"group", "id", "The consumer group."},
    {"from-beginning", "", "Start at the first record when the group has no position."},
    {"max-messages", "number", "Stop after so many records."},
    {"timeout-ms", "ms", "Stop when no record comes for so long."},
    {"isolation-level", "level", "read_uncommitted (the default) or read_committed."},
    {"formatter", "class", "Apache's DefaultMessageFormatter or NoOpMessageFormatter."},
    {"property", "key=value", "How to print: print.key, print.timestamp, key.separator, ..."},
    {"formatter-config", "file", "The same from a file."},
    {"key-deserializer", "class", "Deserializer of keys: String, Integer, Long."},
    {"value-deserializer", "class", "Deserializer of values."},
    {"consumer-property", "key=value", "A property of the consumer; may be repeated."},
    {"consumer.config", "file", "Properties of the consumer."},
    {"skip-message-on-error", "", "Accepted; a record always can be printed."},
    {"enable-systest-events", "", "Accepted; no events are written."},
    kHelp,
    kVersion,
});

base::Result<Properties> consumer_properties(const Options& options) {
  Properties properties;
  if (const auto file = options.get("consumer.config")) {
    if (auto added = add_properties_file(properties, *file); !added) return added.error();
  }
  if (auto added = add_properties(properties, options.all("consumer-property")); !added) return added.error();
  properties["bootstrap.servers"] = options.get_or("bootstrap-server", "");
  properties.try_emplace("client.id", "console-consumer");
  properties["isolation.level"] = options.get_or("isolation-level", "read_uncommitted");
  properties.try_emplace("allow.auto.create.topics", "true");
  if (options.has("from-beginning")) {
    if (const auto set = properties.find("auto.offset.reset");
        set != properties.end() && set->second != "earliest")
      return base::make_error(base::Errc::invalid_argument,
                              "Can't simultaneously specify --from-beginning and 'auto.offset.reset={}', "
                              "please remove one option",
                              set->second);
    properties["auto.offset.reset"] = "earliest";
  } else {
    properties.try_emplace("auto.offset.reset", "latest");
  }
  if (const auto group = options.get("group")) {
    if (const auto set = properties.find("group.id"); set != properties.end() && set->second != *group)
      return base::make_error(base::Errc::invalid_argument,
                              "The group ids provided in different places (directly using '--group', via "
                              "'--consumer-property', or via '--consumer.config') do not match. Detected "
                              "group ids: '{}', '{}'",
                              *group, set->second);
    properties["group.id"] = *group;
  }
  if (!properties.contains("group.id")) {
    base::Random random(base::system_seed());
    properties["group.id"] = fmt::format("console-consumer-{}", random.below(100000));
    properties["enable.auto.commit"] = "false";  // nobody comes back to such a group
  }
  return properties;
}

struct TopicListDeleter {
  void operator()(rd_kafka_topic_partition_list_t* list) const {
    rd_kafka_topic_partition_list_destroy(list);
  }
};
using TopicList = std::unique_ptr<rd_kafka_topic_partition_list_t, TopicListDeleter>;

base::Result<std::int64_t> start_offset(const Options& options) {
  const std::string text = options.get_or("offset", options.has("from-beginning") ? "earliest" : "latest");
  if (text == "earliest") return RD_KAFKA_OFFSET_BEGINNING;
  if (text == "latest") return RD_KAFKA_OFFSET_END;
  const auto number = parse_number(text);
  if (!number || *number < 0)
    return base::make_error(
        base::Errc::invalid_argument,
        "The provided offset value '{}' is incorrect. Valid values are 'earliest', 'latest', or a "
        "non-negative long.",
        text);
  return *number;
}

base::Status start(rd_kafka_t* consumer, const Options& options) {
  const TopicList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  rd_kafka_poll_set_consumer(consumer);
  if (options.has("partition")) {
    const auto partition = options.number("partition");
    if (!partition) return partition.error();
    const auto offset = start_offset(options);
    if (!offset) return offset.error();
    rd_kafka_topic_partition_list_add(list.get(), options.get_or("topic", "").c_str(),
                                      static_cast<std::int32_t>(**partition))
        ->offset = *offset;
    error = rd_kafka_assign(consumer, list.get());
  } else {
    const std::string pattern = options.get_or("include", options.get_or("whitelist", ""));
    const std::string topic = options.has("topic") ? *options.get("topic") : "^(" + pattern + ")$";
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
    error = rd_kafka_subscribe(consumer, list.get());
  }
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    return base::make_error(base::Errc::invalid_argument, "{}", rd_kafka_err2str(error));
  return {};
}

struct Limits {
  std::int64_t messages = -1;    // -1: no limit
  std::int64_t timeout_ms = -1;  // without a record
};

// Problems that pass are left to librdkafka; the rest end the loop.
bool ends(rd_kafka_t* consumer, const rd_kafka_message_t& message) {
  if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF ||
      message.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
    return false;
  fmt::print(stderr, "ERROR {}\n", rd_kafka_message_errstr(&message));
  return message.err == RD_KAFKA_RESP_ERR__FATAL || rd_kafka_fatal_error(consumer, nullptr, 0) != 0;
}

void consume(rd_kafka_t* consumer, const Limits& limits, const RecordPrinter* printer) {
  StopSignals signals;
  const base::SystemClock clock;
  base::Instant last = clock.now();
  std::int64_t count = 0;
  while (!signals.stopped() && (limits.messages < 0 || count < limits.messages)) {
    const std::unique_ptr<rd_kafka_message_t, MessageDeleter> message(
        rd_kafka_consumer_poll(consumer, kPollMilliseconds));
    if (message == nullptr) {
      std::fflush(stdout);
      if (limits.timeout_ms >= 0 && clock.now() - last >= base::milliseconds(limits.timeout_ms)) {
        fmt::print(stderr,
                   "ERROR Error processing message, terminating consumer process: TimeoutException\n");
        break;
      }
      continue;
    }
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (ends(consumer, *message)) break;
      continue;
    }
    last = clock.now();
    ++count;
    if (printer == nullptr) continue;
    const std::string text = printer->text(message.get());
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
      fmt::print(stderr, "Unable to write to standard out, closing consumer.\n");
      break;
    }
  }
  std::fflush(stdout);
  rd_kafka_consumer_close(consumer);
  fmt::print(stderr, "Processed a total of {} messages\n", count);
}

base::Status consume_console(const Options& options) {
  const auto properties = consumer_properties(options);
  if (!properties) return properties.error();
  Properties printing;
  if (const auto file = options.get("formatter-config")) {
    if (auto added = add_properties_file(printing, *file); !added) return added;
  }
  if (auto added = add_properties(printing, options.all("property")); !added) return added;
  for (const char* side : {"key", "value"})
    if (const auto name = options.get(fmt::format("{}-deserializer", side)))
      printing[fmt::format("{}.deserializer", side)] = *name;
  const auto printer = RecordPrinter::make(printing);
  if (!printer) return printer.error();
  const auto messages = options.number("max-messages");
  if (!messages) return messages.error();
  const auto timeout = options.number("timeout-ms");
  if (!timeout) return timeout.error();
  auto consumer = make_client(RD_KAFKA_CONSUMER, *properties);
  if (!consumer) return consumer.error();
  if (auto started = start(consumer->get(), options); !started) return started;
  const bool silent = options.get_or("formatter", "").ends_with("NoOpMessageFormatter");
  consume(consumer->get(), {messages->value_or(-1), timeout->value_or(-1)}, silent ? nullptr : &*printer);
  return {};
}

std::string broken_consumer_rule(const Options& options) {
  const int sources = options.has("topic") + options.has("include") + options.has("whitelist");
  if (sources != 1) return "Exactly one of --include/--topic is required.";
  if (!options.has("bootstrap-server")) return "Missing required argument \"[bootstrap-server]\"";
  if (options.has("partition") && !options.has("topic"))
    return "The topic is required when partition is specified.";
  if (options.has("partition") && options.has("group"))
    return "Options group and partition cannot be specified together.";
  if (options.has("offset") && !options.has("partition"))
    return "The partition is required when offset is specified.";
  if (options.has("from-beginning") && options.has("offset"))
    return "Options from-beginning and offset cannot be specified together.";
  const std::string formatter = options.get_or("formatter", "DefaultMessageFormatter");
  if (!formatter.ends_with("DefaultMessageFormatter") && !formatter.ends_with("NoOpMessageFormatter"))
    return fmt::format("{}: classes cannot be loaded here", formatter);
  return "";
}

}  // namespace

int console_consumer(const Invocation& invocation) {
  const auto options = Options::parse(kConsoleConsumerOptions, invocation.args);
  if (!options) return wrong_usage(options.error().context, kConsoleConsumerName, kConsoleConsumerOptions);
  if (options->has("help") || invocation.args.empty())
    return wrong_usage("This tool helps to read data from Kafka topics and outputs it to standard output.",
                       kConsoleConsumerName, kConsoleConsumerOptions);
  if (options->has("version")) return print_version();
  if (const std::string broken = broken_consumer_rule(*options); !broken.empty())
    return wrong_usage(broken, kConsoleConsumerName, kConsoleConsumerOptions);
  const auto done = consume_console(*options);
  if (done) return 0;
  if (done.error().code == base::Errc::invalid_argument)
    return wrong_usage(done.error().context, kConsoleConsumerName, kConsoleConsumerOptions);
  fmt::print(stderr, "{}\n", done.error().context);
  return 1;
}

}  // namespace tandem::tools::kafka
