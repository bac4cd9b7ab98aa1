#include "tools/kafka/topics.h"
namespace tandem::tools::kafka {
int topics_by_zookeeper(const Options&) { return topics_failure("--zookeeper is not supported"); }
}  // namespace tandem::tools::kafka
