// zoo.cfg: any text is a configuration or one sentence; printing every setting of what was read and reading
// that again gives the same configuration.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "coord/server/config.h"
#include "tests/fuzz/memory_disk.h"

using namespace tandem;
using namespace tandem::coord::server;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fs::MemoryDisk disk;
  disk.put("d/zoo.cfg", std::string_view(reinterpret_cast<const char*>(data), size));
  const auto loaded = load_config(disk, "d/zoo.cfg", {});
  if (!loaded) {
    ENSURE(!loaded.error().context.empty());
    return 0;
  }
  const auto& table = config_table();
  std::vector<conf::Entry> printed;
  for (const conf::Setting& setting : table.rows().settings()) {
    if (setting.is_family()) continue;
    if (const auto text = table.print(loaded->config, setting))
      printed.push_back({std::string(setting.key), *text, "printed", 0});
  }
  Config again;
  conf::Findings findings;
  const auto status = table.apply(again, printed, findings);
  ENSURE(status.has_value(), "what was printed is refused: {}", status.error().context);
  ENSURE(again.tick_time_ms == loaded->config.tick_time_ms && again.data_dir == loaded->config.data_dir &&
         again.client_port == loaded->config.client_port &&
         again.four_letter_whitelist == loaded->config.four_letter_whitelist);
  return 0;
}
