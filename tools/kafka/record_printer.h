// Prints records as Apache's DefaultMessageFormatter: print.timestamp, print.partition, print.offset,
// print.headers, print.key, print.value, key.separator, line.separator, headers.separator, null.literal, and
// deserializers for numbers.
#pragma once

#include <librdkafka/rdkafka.h>

#include <string>

#include "base/result.h"
#include "tools/kafka/rdkafka_client.h"

namespace tandem::tools::kafka {

class RecordPrinter {
 public:
  static base::Result<RecordPrinter> make(const Properties& properties);
  std::string text(const rd_kafka_message_t* message) const;

 private:
  enum class Shape { bytes, int16, int32, int64 };
  static base::Result<Shape> shape_of(const std::string& deserializer);
  std::string field(const void* data, std::size_t size, Shape shape) const;
  std::string headers_text(const rd_kafka_message_t* message) const;

  bool timestamp_ = false, partition_ = false, offset_ = false, headers_ = false, key_ = false, value_ = true;
  std::string key_separator_ = "\t", line_separator_ = "\n", headers_separator_ = ",", null_literal_ = "null";
  Shape key_shape_ = Shape::bytes;
  Shape value_shape_ = Shape::bytes;
};

}  // namespace tandem::tools::kafka
