#include "tools/service/commands.h"

#include "tools/service/service.h"

namespace tandem::tools::service {

namespace {

constexpr Command kCommands[] = {
    {"zkServer.sh", "zkserver", zk_server,
     "[--config DIR] {start|start-foreground|stop|version|restart|status|print-cmd} [FILE]"},
    {"zkServer-initialize.sh", "zkserver-initialize", zk_server_initialize,
     "make the data directories: [--configfile=FILE] [--myid=N] [--force]"},
    {"zkCleanup.sh", "zkcleanup", zk_cleanup, "remove old snapshots and logs: -n COUNT (at least 3)"},
    {"zookeeper-server-start.sh", "zookeeper-server-start", zookeeper_server_start,
     "[-daemon] zookeeper.properties"},
    {"zookeeper-server-stop.sh", "zookeeper-server-stop", zookeeper_server_stop,
     "stop the coordination servers of this installation and user"},
    {"kafka-server-start.sh", "kafka-server-start", kafka_server_start,
     "[-daemon] server.properties [--override property=value]*"},
    {"kafka-server-stop.sh", "kafka-server-stop", kafka_server_stop,
     "stop the brokers of this installation and user"},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

}  // namespace tandem::tools::service
