// librdkafka for the tools that produce and consume: properties with Java's names and Java's choice of
// partitions (murmur2), handles that close themselves, and signals that end a loop instead of the process.
#pragma once

#include <librdkafka/rdkafka.h>

#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "tools/kafka/options.h"

namespace tandem::tools::kafka {

using Properties = std::map<std::string, std::string>;

struct ClientDeleter {
  void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
};
using Client = std::unique_ptr<rd_kafka_t, ClientDeleter>;

struct MessageDeleter {
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
};

constexpr int kPollMilliseconds = 100;
constexpr int kFlushMilliseconds = 60'000;
constexpr double kMegabyte = 1024.0 * 1024.0;  // what the measuring tools call MB

using DeliveryReport = void (*)(rd_kafka_t*, const rd_kafka_message_t*, void*);

// Keys that librdkafka does not know are named once in a warning and left out, as Java does.
base::Result<Client> make_client(rd_kafka_type_t type, const Properties& properties,
                                 DeliveryReport on_delivery = nullptr, void* opaque = nullptr);

// key=value lines of a file, then "key=value" words, into `properties`.
base::Status add_properties_file(Properties& properties, const std::string& file);
base::Status add_properties(Properties& properties, const std::vector<std::string>& words);

// SIGINT and SIGTERM are held back for the rest of the process; stopped() says whether one came.
class StopSignals {
 public:
  StopSignals();
  bool stopped();

 private:
  bool stopped_ = false;
};

}  // namespace tandem::tools::kafka
