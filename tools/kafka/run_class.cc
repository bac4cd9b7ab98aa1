#include <fmt/core.h>

#include <array>

#include "tools/kafka/commands.h"

namespace tandem::tools::kafka {

namespace {

struct ToolClass {
  std::string_view simple_name;  // the package moved from release to release
  int (*run)(const Invocation&);
};
constexpr std::array kClasses = {
    ToolClass{"GetOffsetShell", get_offsets},
    ToolClass{"DumpLogSegments", dump_log},
    ToolClass{"TopicCommand", topics},
    ToolClass{"ConsumerGroupCommand", consumer_groups},
    ToolClass{"ConfigCommand", configs},
    ToolClass{"BrokerApiVersionsCommand", broker_api_versions},
    ToolClass{"ConsoleProducer", console_producer},
    ToolClass{"ConsoleConsumer", console_consumer},
    ToolClass{"ProducerPerformance", producer_perf_test},
    ToolClass{"ConsumerPerformance", consumer_perf_test},
    ToolClass{"ClusterTool", cluster},
    ToolClass{"FeatureCommand", features},
};

}  // namespace

int run_class(const Invocation& invocation) {
  if (invocation.args.empty()) {
    fmt::print("USAGE: kafka-run-class.sh classname [opts]\n");
    return 1;
  }
  const std::string_view name = invocation.args.front();
  for (const ToolClass& tool : kClasses) {
    if (name.substr(name.rfind('.') + 1) != tool.simple_name) continue;
    Invocation rest = invocation;
    rest.args.erase(rest.args.begin());
    return tool.run(rest);
  }
  fmt::print(stderr, "Error: Could not find or load main class {}: classes cannot be loaded here\n", name);
  return 1;
}

}  // namespace tandem::tools::kafka
