// AlterClientQuotas: API key 49, versions 0 to 1, flexible from 1.
// Changes quotas.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct AlterClientQuotasResponse;

struct AlterClientQuotasRequest {
  static constexpr ApiKey kApi = ApiKey::alter_client_quotas;
  static constexpr std::int16_t kVersionMax = 1;
  static constexpr std::int16_t kFlexibleSince = 1;
  using Response = AlterClientQuotasResponse;

  struct EntityData {
    std::string entity_type;
    std::optional<std::string> entity_name;
    void describe(Fields& f);
    bool operator==(const EntityData&) const = default;
  };

  struct OpData {
    std::string key;
    double value = 0;
    bool remove = false;
    void describe(Fields& f);
    bool operator==(const OpData&) const = default;
  };

  struct EntryData {
    std::vector<EntityData> entity;
    std::vector<OpData> ops;
    void describe(Fields& f);
    bool operator==(const EntryData&) const = default;
  };

  std::vector<EntryData> entries;
  bool validate_only = false;

  void describe(Fields& f);
  bool operator==(const AlterClientQuotasRequest&) const = default;
};

struct AlterClientQuotasResponse {
  static constexpr ApiKey kApi = ApiKey::alter_client_quotas;
  static constexpr std::int16_t kVersionMax = 1;
  static constexpr std::int16_t kFlexibleSince = 1;

  struct EntityData {
    std::string entity_type;
    std::optional<std::string> entity_name;
    void describe(Fields& f);
    bool operator==(const EntityData&) const = default;
  };

  struct EntryData {
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message;
    std::vector<EntityData> entity;
    void describe(Fields& f);
    bool operator==(const EntryData&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<EntryData> entries;

  void describe(Fields& f);
  bool operator==(const AlterClientQuotasResponse&) const = default;
};

}  // namespace tandem::broker::protocol
