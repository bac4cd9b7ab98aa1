#include "tools/kafka/record_printer.h"

#include <fmt/format.h>

#include <vector>

#include "bytes/reader.h"
#include "tools/kafka/text.h"

namespace tandem::tools::kafka {

base::Result<RecordPrinter::Shape> RecordPrinter::shape_of(const std::string& deserializer) {
  const std::string name = deserializer.substr(deserializer.rfind('.') + 1);
  if (name == "ShortDeserializer") return Shape::int16;
  if (name == "IntegerDeserializer") return Shape::int32;
  if (name == "LongDeserializer") return Shape::int64;
  if (name == "StringDeserializer" || name == "ByteArrayDeserializer") return Shape::bytes;
  return base::make_error(base::Errc::unsupported, "{}: classes cannot be loaded here", deserializer);
}

base::Result<RecordPrinter> RecordPrinter::make(const Properties& properties) {
  RecordPrinter printer;
  const auto flag = [&](const char* name, bool& target) {
    if (const auto found = properties.find(name); found != properties.end())
      target = trim(found->second) == "true";
  };
  const auto word = [&](const char* name, std::string& target) {
    if (const auto found = properties.find(name); found != properties.end()) target = found->second;
  };
  flag("print.timestamp", printer.timestamp_);
  flag("print.partition", printer.partition_);
  flag("print.offset", printer.offset_);
  flag("print.headers", printer.headers_);
  flag("print.key", printer.key_);
  flag("print.value", printer.value_);
  word("key.separator", printer.key_separator_);
  word("line.separator", printer.line_separator_);
  word("headers.separator", printer.headers_separator_);
  word("null.literal", printer.null_literal_);
  for (const auto& [name, shape] : {std::pair{"key.deserializer", &printer.key_shape_},
                                    std::pair{"value.deserializer", &printer.value_shape_}}) {
    const auto found = properties.find(name);
    if (found == properties.end()) continue;
    const auto known = shape_of(found->second);
    if (!known) return known.error();
    *shape = *known;
  }
  return printer;
}

std::string RecordPrinter::field(const void* data, std::size_t size, Shape shape) const {
  if (data == nullptr) return null_literal_;
  const std::string_view bytes(static_cast<const char*>(data), size);
  bytes::Reader reader(bytes);
  switch (shape) {
    case Shape::bytes:
      return std::string(bytes);
    case Shape::int16:
      return std::to_string(reader.i16());
    case Shape::int32:
      return std::to_string(reader.i32());
    case Shape::int64:
      return std::to_string(reader.i64());
  }
  return {};
}

std::string RecordPrinter::headers_text(const rd_kafka_message_t* message) const {
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return "NO_HEADERS";
  std::vector<std::string> parts;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i)
    parts.push_back(fmt::format("{}:{}", name, field(value, size, Shape::bytes)));
  return join(parts, headers_separator_);
}

std::string RecordPrinter::text(const rd_kafka_message_t* message) const {
  std::vector<std::string> columns;
  if (timestamp_) {
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    const std::int64_t timestamp = rd_kafka_message_timestamp(message, &type);
    columns.push_back(
        type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
            ? "NO_TIMESTAMP"
            : fmt::format("{}:{}", type == RD_KAFKA_TIMESTAMP_CREATE_TIME ? "CreateTime" : "LogAppendTime",
                          timestamp));
  }
  if (partition_) columns.push_back(fmt::format("Partition:{}", message->partition));
  if (offset_) columns.push_back(fmt::format("Offset:{}", message->offset));
  if (headers_) columns.push_back(headers_text(message));
  if (key_) columns.push_back(field(message->key, message->key_len, key_shape_));
  if (value_) columns.push_back(field(message->payload, message->len, value_shape_));
  return columns.empty() ? "" : join(columns, key_separator_) + line_separator_;
}

}  // namespace tandem::tools::kafka
