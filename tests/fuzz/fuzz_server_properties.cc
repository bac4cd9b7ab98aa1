// server.properties: any text is a configuration or one sentence; printing every setting of what was read and
// reading that again changes nothing.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "broker/config/broker_table.h"

using namespace tandem;
using namespace tandem::broker::config;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const BrokerTable table = make_broker_table();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto loaded = load(table, text, "server.properties", {});
  if (!loaded) {
    ENSURE(!loaded.error().context.empty());
    return 0;
  }
  std::vector<conf::Entry> printed;
  for (const conf::Setting& setting : table.rows().settings()) {
    if (setting.is_family()) continue;
    if (const auto value = table.print(loaded->config, setting))
      printed.push_back({std::string(setting.key), *value, "printed", 0});
  }
  BrokerConfig again;
  conf::Findings findings;
  const auto status = table.apply(again, printed, findings);
  ENSURE(status.has_value(), "what was printed is refused: {}", status.error().context);
  for (const conf::Entry& entry : printed) {
    const conf::Setting* setting = table.rows().find(entry.key);
    ENSURE(setting != nullptr && table.print(again, *setting) == entry.value, "{} changed", entry.key);
  }
  return 0;
}
