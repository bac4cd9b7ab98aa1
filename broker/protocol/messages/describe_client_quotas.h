// DescribeClientQuotas: API key 48, versions 0 to 1, flexible from 1.
// Lists quotas.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct DescribeClientQuotasResponse;

struct DescribeClientQuotasRequest {
  static constexpr ApiKey kApi = ApiKey::describe_client_quotas;
  static constexpr std::int16_t kVersionMax = 1;
  static constexpr std::int16_t kFlexibleSince = 1;
  using Response = DescribeClientQuotasResponse;

  struct ComponentData {
    std::string entity_type;
    std::int8_t match_type = 0;
    std::optional<std::string> match;
    void describe(Fields& f);
    bool operator==(const ComponentData&) const = default;
  };

  std::vector<ComponentData> components;
  bool strict = false;

  void describe(Fields& f);
  bool operator==(const DescribeClientQuotasRequest&) const = default;
};

struct DescribeClientQuotasResponse {
  static constexpr ApiKey kApi = ApiKey::describe_client_quotas;
  static constexpr std::int16_t kVersionMax = 1;
  static constexpr std::int16_t kFlexibleSince = 1;

  struct EntityData {
    std::string entity_type;
    std::optional<std::string> entity_name;
    void describe(Fields& f);
    bool operator==(const EntityData&) const = default;
  };

  struct ValueData {
    std::string key;
    double value = 0;
    void describe(Fields& f);
    bool operator==(const ValueData&) const = default;
  };

  struct EntryData {
    std::vector<EntityData> entity;
    std::vector<ValueData> values;
    void describe(Fields& f);
    bool operator==(const EntryData&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string> error_message;
  std::optional<std::vector<EntryData>> entries;

  void describe(Fields& f);
  bool operator==(const DescribeClientQuotasResponse&) const = default;
};

}  // namespace tandem::broker::protocol
