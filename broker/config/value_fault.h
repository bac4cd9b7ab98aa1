// What is wrong with a value, in the words that Kafka's ConfigException puts on the wire: administrative
// answers carry them. The files' own errors keep the words of conf. Pure functions, any thread.
#pragma once

#include <string>
#include <string_view>

#include "conf/setting.h"

namespace tandem::broker::config {

// Sets `config`'s field. Errc::invalid_argument with Kafka's text when the setting does not take the value.
base::Status set_or_fault(const conf::Setting& setting, std::string_view value, void* config);

}  // namespace tandem::broker::config
