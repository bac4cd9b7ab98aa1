#include "tools/storage/commands.h"

namespace tandem::tools::storage {

namespace {

constexpr Command kCommands[] = {
    {"zkTxnLogToolkit.sh", "zktxnlogtoolkit", txn_log_toolkit,
     "dump, repair or cut a transaction log: [-dhrvc] <txn_log_file_name> (-z <zxid>)"},
    {"zkSnapShotToolkit.sh", "zksnapshottoolkit", snapshot_toolkit,
     "list a snapshot: [-d|-json] snapshot_file"},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

}  // namespace tandem::tools::storage
