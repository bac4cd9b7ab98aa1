// Records of __consumer_offsets as the JSON that Apache's kafka-dump-log.sh --offsets-decoder prints: fields
// in the order of the message, names in camel case, bytes in base64, what members of consumer groups
// subscribe to and are assigned spelt out. Source: Kafka 3.9 DumpLogSegments and the converters of its
// messages.
#pragma once

#include <optional>
#include <string>

#include "broker/record/record.h"

namespace tandem::tools::kafka {

struct DecodedRecord {
  std::string key;
  std::optional<std::string> payload;  // none: nothing is printed for it
};

DecodedRecord decode_offsets_record(const broker::record::RecordView& record);

}  // namespace tandem::tools::kafka
