#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <iostream>

#include "tools/kafka/commands.h"
#include "tools/kafka/line_reader.h"
#include "tools/kafka/rdkafka_client.h"
#include "tools/kafka/text.h"

namespace tandem::tools::kafka {

namespace {

constexpr std::string_view kConsoleProducerName = "kafka-console-producer.sh";
constexpr auto kConsoleProducerOptions = std::to_array<Option>({
    kBootstrapServer,
    {"broker-list", "host:port", "The older name of --bootstrap-server."},
    {"topic", "name", "The topic to produce to."},
    {"sync", "", "Wait for each record's acknowledgement."},
    {"compression-codec", "[codec]", "none, gzip, snappy, lz4 or zstd; gzip when none is named."},
    {"batch-size", "bytes", "Bytes to gather before a batch is sent, 16384 by default."},
    {"max-partition-memory-bytes", "bytes", "The same as --batch-size."},
    {"message-send-max-retries", "number", "How often to send again, 3 by default."},
    {"retry-backoff-ms", "ms", "Wait before sending again, 100 by default."},
    {"timeout", "ms", "How long to gather a batch, 1000 by default."},
    {"request-required-acks", "-1|0|1|all", "Acknowledgements to wait for, -1 by default."},
    {"request-timeout-ms", "ms", "How long a broker may take to acknowledge, 1500 by default."},
    {"metadata-expiry-ms", "ms", "How long metadata is good, 300000 by default."},
    {"max-block-ms", "ms", "Accepted."},
    {"max-memory-bytes", "bytes", "Accepted."},
    {"socket-buffer-size", "bytes", "Size of the socket's buffers, 102400 by default."},
    {"line-reader", "class", "Only Apache's LineMessageReader."},
    {"property", "key=value", "How to read lines: parse.key, key.separator, parse.headers, ..."},
    {"reader-config", "file", "The same from a file."},
    {"producer-property", "key=value", "A property of the producer; may be repeated."},
    {"producer.config", "file", "Properties of the producer."},
    kHelp,
    kVersion,
});

struct Forwarded {
  std::string_view option;
  std::string_view property;
  std::string_view otherwise;
};
constexpr auto kForwarded = std::to_array<Forwarded>({
    {"message-send-max-retries", "retries", "3"},
    {"retry-backoff-ms", "retry.backoff.ms", "100"},
    {"timeout", "linger.ms", "1000"},
    {"request-required-acks", "acks", "-1"},
    {"metadata-expiry-ms", "metadata.max.age.ms", "300000"},
    {"socket-buffer-size", "socket.send.buffer.bytes", "102400"},
});

base::Result<Properties> producer_properties(const Options& options) {
  Properties properties;
  for (const Forwarded& row : kForwarded)
    properties[std::string(row.property)] = options.get_or(row.option, row.otherwise);
  properties["batch.size"] =
      options.get_or("batch-size", options.get_or("max-partition-memory-bytes", "16384"));
  if (options.has("compression-codec")) {
    const std::string codec = options.get_or("compression-codec", "");
    properties["compression.type"] = codec.empty() ? "gzip" : codec;
  }
  if (const auto file = options.get("producer.config")) {
    if (auto added = add_properties_file(properties, *file); !added) return added.error();
  }
  if (auto added = add_properties(properties, options.all("producer-property")); !added) return added.error();
  properties["bootstrap.servers"] = options.get_or("bootstrap-server", options.get_or("broker-list", ""));
  properties.try_emplace("client.id", "console-producer");
  properties.try_emplace("partitioner", "murmur2_random");  // keys land where Java's producer puts them
  const std::string& acks = properties["acks"];
  if (acks != "all" && acks != "-1" && acks != "0" && acks != "1")
    return base::make_error(base::Errc::invalid_argument,
                            "Invalid value {} for configuration acks: String must be one of: all, -1, 0, 1",
                            acks);
  if (acks == "all" || acks == "-1") properties.try_emplace("enable.idempotence", "true");
  return properties;
}

bool all_have_ports(const std::string& servers) {
  const auto list = split(servers, ',');
  return std::all_of(list.begin(), list.end(), [](const std::string& server) {
    const std::size_t colon = server.rfind(':');
    return colon != std::string::npos && parse_number(trim(server.substr(colon + 1)));
  });
}

void on_console_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) return;
  fmt::print(stderr,
             "ERROR Error when sending message to topic {} with key: {}, value: {} bytes with error: {}\n",
             rd_kafka_topic_name(message->rkt),
             message->key == nullptr ? "null" : fmt::format("{} bytes", message->key_len), message->len,
             rd_kafka_err2str(message->err));
}

base::Status send(rd_kafka_t* producer, const std::string& topic, const LineRecord& record) {
  rd_kafka_headers_t* headers = nullptr;
  if (!record.headers.empty()) {
    headers = rd_kafka_headers_new(record.headers.size());
    for (const auto& [name, value] : record.headers)
      rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()),
                          value ? value->data() : nullptr, value ? static_cast<ssize_t>(value->size()) : 0);
  }
  const char* key = record.key ? record.key->data() : nullptr;
  const std::size_t key_size = record.key ? record.key->size() : 0;
  char* value = record.value ? const_cast<char*>(record.value->data()) : nullptr;  // copied, not changed
  const std::size_t value_size = record.value ? record.value->size() : 0;
  for (;;) {
    const auto error =
        rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                          RD_KAFKA_V_KEY(key, key_size), RD_KAFKA_V_VALUE(value, value_size),
                          RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      if (headers != nullptr) rd_kafka_headers_destroy(headers);
      return base::make_error(base::Errc::invalid_argument, "{}", rd_kafka_err2str(error));
    }
    rd_kafka_poll(producer, kPollMilliseconds);  // wait for room
  }
}

base::Status produce_lines(const Options& options) {
  const auto properties = producer_properties(options);
  if (!properties) return properties.error();
  Properties reading;
  if (const auto file = options.get("reader-config")) {
    if (auto added = add_properties_file(reading, *file); !added) return added;
  }
  if (auto added = add_properties(reading, options.all("property")); !added) return added;
  auto reader = LineReader::make(reading);
  if (!reader) return reader.error();
  auto producer = make_client(RD_KAFKA_PRODUCER, *properties, on_console_delivery);
  if (!producer) return producer.error();
  const bool prompt = ::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0;
  const std::string topic = *options.get("topic");
  base::Status done;
  if (prompt) fmt::print(">");
  std::fflush(stdout);
  for (std::string line; done && std::getline(std::cin, line);) {
    const auto record = reader->parse(line);
    done = record ? send(producer->get(), topic, *record) : base::Status(record.error());
    if (options.has("sync")) rd_kafka_flush(producer->get(), kFlushMilliseconds);
    rd_kafka_poll(producer->get(), 0);
    if (prompt) fmt::print(">");
    std::fflush(stdout);
  }
  rd_kafka_flush(producer->get(), kFlushMilliseconds);
  return done;
}

}  // namespace

int console_producer(const Invocation& invocation) {
  const auto options = Options::parse(kConsoleProducerOptions, invocation.args);
  if (!options) return wrong_usage(options.error().context, kConsoleProducerName, kConsoleProducerOptions);
  if (options->has("help") || invocation.args.empty())
    return wrong_usage("This tool helps to read data from standard input and publish it to Kafka.",
                       kConsoleProducerName, kConsoleProducerOptions);
  if (options->has("version")) return print_version();
  if (!options->has("topic"))
    return wrong_usage("Missing required argument \"[topic]\"", kConsoleProducerName,
                       kConsoleProducerOptions);
  if (!options->has("bootstrap-server") && !options->has("broker-list"))
    return wrong_usage("Missing required option(s) [bootstrap-server]", kConsoleProducerName,
                       kConsoleProducerOptions);
  if (!all_have_ports(options->get_or("bootstrap-server", options->get_or("broker-list", ""))))
    return wrong_usage("Please provide valid host:port like host1:9091,host2:9092\n ", kConsoleProducerName,
                       kConsoleProducerOptions);
  if (const auto reader = options->get("line-reader"); reader && !reader->ends_with("LineMessageReader"))
    return wrong_usage(fmt::format("{}: classes cannot be loaded here", *reader), kConsoleProducerName,
                       kConsoleProducerOptions);
  const auto done = produce_lines(*options);
  if (done) return 0;
  fmt::print(stderr, "{}\n", done.error().context);
  return 1;
}

}  // namespace tandem::tools::kafka
