// What every message header needs: the kinds of fields, and the visitor's name. A message is a plain struct;
// its describe() is in the .cc file beside it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "broker/protocol/api_key.h"
#include "broker/protocol/errors.h"
#include "broker/protocol/ids.h"
#include "broker/protocol/records.h"
#include "broker/protocol/uuid.h"
#include "broker/protocol/versions.h"

namespace tandem::broker::protocol {

class Fields;

}  // namespace tandem::broker::protocol
