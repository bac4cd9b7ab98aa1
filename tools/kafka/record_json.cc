#include "tools/kafka/record_json.h"

#include <fmt/format.h>

#include <array>
#include <cctype>

#include "broker/protocol/messages/consumer_protocol.h"
#include "broker/protocol/messages/group_records.h"
#include "broker/protocol/versioned.h"

namespace tandem::tools::kafka {

namespace {

namespace protocol = broker::protocol;

std::string base64(std::string_view bytes) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j)
      group = group << 8 | (i + j < bytes.size() ? static_cast<std::uint8_t>(bytes[i + j]) : 0u);
    for (std::size_t j = 0; j < 4; ++j)
      out += i + j <= bytes.size() ? kDigits[group >> (18 - 6 * j) & 63] : '=';
  }
  return out;
}

std::string quoted(std::string_view text) {
  static constexpr std::array<std::pair<char, char>, 7> kShort = {
      {{'"', '"'}, {'\\', '\\'}, {'\b', 'b'}, {'\t', 't'}, {'\n', 'n'}, {'\f', 'f'}, {'\r', 'r'}}};
  std::string out = "\"";
  for (const char c : text) {
    const auto known =
        std::find_if(kShort.begin(), kShort.end(), [c](const auto& entry) { return entry.first == c; });
    if (known != kShort.end()) {
      out += {'\\', known->second};
    } else if (static_cast<std::uint8_t>(c) < 0x20) {
      out += fmt::format("\\u{:04X}", static_cast<std::uint8_t>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

class JsonText final : public protocol::Fields {
 public:
  explicit JsonText(std::int16_t version) : Fields(version, true, Mode::reads_values) {}
  std::string take() { return std::move(out_); }

 private:
  void value(bool& v) override { item(v ? "true" : "false"); }
  void value(std::int8_t& v) override { item(std::to_string(v)); }
  void value(std::int16_t& v) override { item(std::to_string(v)); }
  void value(std::int32_t& v) override { item(std::to_string(v)); }
  void value(std::int64_t& v) override { item(std::to_string(v)); }
  void value(double& v) override { item(fmt::format("{}", v)); }
  void value(protocol::Uuid& v) override { item(quoted(v.to_string())); }
  void value(std::string& v) override {
    if (std::string_view(name_) == "protocol_type") of_consumers_ = v == "consumer";
    item(quoted(v));
  }
  void value(std::optional<std::string>& v) override { item(v ? quoted(*v) : "null"); }
  void value(protocol::Bytes& v) override { item(spelt_out(v.data).value_or(quoted(base64(v.data)))); }
  void value(std::optional<protocol::Bytes>& v) override { item(v ? quoted(base64(v->data)) : "null"); }
  void value(protocol::Records&) override { item("null"); }
  std::int64_t open_array(std::int64_t size, bool, std::size_t) override {
    item(size < 0 ? "null" : "[");
    levels_.push_back({false, true, size < 0 ? "" : "]"});
    return size;
  }
  void close_array() override { close(); }
  void open_struct() override {
    item("{");
    levels_.push_back({true, true, "}"});
  }
  void close_struct() override { close(); }
  bool open_tag(std::uint32_t, bool is_absent) override { return !is_absent; }
  void close_tag() override {}

  struct Level {
    bool named;
    bool first;
    std::string_view end;
  };

  void item(std::string_view text) {
    if (!levels_.empty()) {
      Level& level = levels_.back();
      if (!level.first) out_ += ',';
      level.first = false;
      if (level.named) out_ += quoted(camel_case(name_)) + ":";
    }
    out_ += text;
  }
  void close() {
    out_ += levels_.back().end;
    levels_.pop_back();
  }

  static std::string camel_case(std::string_view name) {
    std::string out;
    bool upper = false;
    for (const char c : name) {
      if (c == '_') {
        upper = true;
        continue;
      }
      out += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
      upper = false;
    }
    return out;
  }

  // The embedded messages of the consumer protocol; what cannot be read as one stays bytes.
  std::optional<std::string> spelt_out(const std::string& bytes) const;

  std::string out_;
  std::vector<Level> levels_;
  bool of_consumers_ = false;
};

template <class M>
base::Result<std::string> json_of(std::string_view bytes) {
  auto message = protocol::decode_versioned<M>(bytes::Slice::own(std::string(bytes)));
  if (!message) return message.error();
  JsonText text(protocol::version_in_front(bytes));
  text.walk(*message);
  return text.take();
}

std::optional<std::string> JsonText::spelt_out(const std::string& bytes) const {
  if (!of_consumers_) return std::nullopt;
  const std::string_view name(name_);
  base::Result<std::string> json = base::make_error(base::Errc::unsupported, "no message");
  if (name == "subscription") json = json_of<protocol::ConsumerProtocolSubscription>(bytes);
  if (name == "assignment") json = json_of<protocol::ConsumerProtocolAssignment>(bytes);
  return json ? std::optional(*json) : std::nullopt;
}

template <class Key, class Value>
DecodedRecord decoded(const broker::record::RecordView& record) {
  const auto failed = [&](const base::Error& error) {
    return DecodedRecord{fmt::format("Error at offset {}, skipping. {}", record.offset, error.context), {}};
  };
  const auto key = json_of<Key>(*record.key);
  if (!key) return failed(key.error());
  DecodedRecord out{
      fmt::format(R"({{"type":"{}","data":{}}})", protocol::version_in_front(*record.key), *key), "<DELETE>"};
  if (!record.value) return out;
  const auto value = json_of<Value>(*record.value);
  if (!value) return failed(value.error());
  out.payload =
      fmt::format(R"({{"version":"{}","data":{}}})", protocol::version_in_front(*record.value), *value);
  return out;
}

}  // namespace

DecodedRecord decode_offsets_record(const broker::record::RecordView& record) {
  const std::int16_t type = protocol::version_in_front(record.key.value_or(""));
  if (type < 0)
    return {
        fmt::format("Error at offset {}, skipping. Could not read version from key's buffer.", record.offset),
        {}};
  if (type <= protocol::OffsetCommitKey::kVersionMax)
    return decoded<protocol::OffsetCommitKey, protocol::OffsetCommitValue>(record);
  if (type <= protocol::GroupMetadataKey::kVersionMax)
    return decoded<protocol::GroupMetadataKey, protocol::GroupMetadataValue>(record);
  return {fmt::format("Unknown record type {} at offset {}, skipping.", type, record.offset), {}};
}

}  // namespace tandem::tools::kafka
