#include "tools/kafka/rdkafka_client.h"

#include <fmt/core.h>
#include <signal.h>

#include <array>
#include <ctime>
#include <fstream>
#include <string_view>

#include "tools/kafka/text.h"

namespace tandem::tools::kafka {

namespace {

struct Translation {
  std::string_view java;
  std::string_view native;  // empty: nothing to do here
};
// Java's names that librdkafka spells differently or has no use for.
constexpr auto kTranslations = std::to_array<Translation>({
    {"delivery.timeout.ms", "delivery.timeout.ms"},
    {"buffer.memory", ""},
    {"max.block.ms", ""},
    {"max.request.size", "message.max.bytes"},
    {"max.partition.fetch.bytes", "max.partition.fetch.bytes"},
    {"key.serializer", ""},
    {"value.serializer", ""},
    {"key.deserializer", ""},
    {"value.deserializer", ""},
    {"send.buffer.bytes", "socket.send.buffer.bytes"},
    {"receive.buffer.bytes", "socket.receive.buffer.bytes"},
    {"reconnect.backoff.max.ms", "reconnect.backoff.max.ms"},
    {"fetch.max.wait.ms", "fetch.wait.max.ms"},
    {"max.poll.records", ""},
    {"default.api.timeout.ms", ""},
    {"request.timeout.ms", ""},
});

std::string native_name(const std::string& name) {
  for (const Translation& row : kTranslations)
    if (row.java == name) return std::string(row.native);
  return name;
}

// Problems of the connection are told by librdkafka's log lines on standard error.
void on_error(rd_kafka_t*, int, const char*, void*) {}

}  // namespace

base::Result<Client> make_client(rd_kafka_type_t type, const Properties& properties,
                                 DeliveryReport on_delivery, void* opaque) {
  std::array<char, 512> why{};
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  for (const auto& [name, value] : properties) {
    const std::string native = native_name(name);
    if (native.empty()) continue;
    const auto set = rd_kafka_conf_set(conf, native.c_str(), value.c_str(), why.data(), why.size());
    if (set == RD_KAFKA_CONF_UNKNOWN) {
      fmt::print(stderr, "WARN The configuration '{}' was supplied but isn't a known config.\n", name);
    } else if (set != RD_KAFKA_CONF_OK) {
      rd_kafka_conf_destroy(conf);
      return base::make_error(base::Errc::invalid_argument, "{}", why.data());
    }
  }
  rd_kafka_conf_set_error_cb(conf, on_error);
  rd_kafka_conf_set_opaque(conf, opaque);
  if (on_delivery != nullptr) rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
  rd_kafka_t* client = rd_kafka_new(type, conf, why.data(), why.size());
  if (client == nullptr) {
    rd_kafka_conf_destroy(conf);
    return base::make_error(base::Errc::invalid_argument, "{}", why.data());
  }
  return Client(client);
}

base::Status add_properties_file(Properties& properties, const std::string& file) {
  std::ifstream in(file);
  if (!in) return base::make_error(base::Errc::not_found, "{} (No such file or directory)", file);
  for (std::string line; std::getline(in, line);) {
    const std::size_t equals = line.find('=');
    if (trim(line).starts_with('#') || equals == std::string::npos) continue;
    properties[std::string(trim(line.substr(0, equals)))] = trim(line.substr(equals + 1));
  }
  return {};
}

base::Status add_properties(Properties& properties, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos)
      return base::make_error(base::Errc::invalid_argument, "Invalid command line properties: {}", word);
    properties[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return {};
}

StopSignals::StopSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

bool StopSignals::stopped() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  const timespec now{0, 0};
  if (::sigtimedwait(&set, nullptr, &now) > 0) stopped_ = true;
  return stopped_;
}

}  // namespace tandem::tools::kafka
