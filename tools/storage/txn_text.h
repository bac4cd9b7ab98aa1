// A transaction as one line of Apache's TxnLogToolkit: date, session, cxid, zxid, operation and its payload.
// Records without a form of their own come in Jute's comma separated text ('strings, s{records}, v{vectors}).
#pragma once

#include <string>

#include "coord/records/txn.h"

namespace tandem::tools::storage {

std::string txn_line(const coord::records::LoggedTxn& txn);  // ends with a newline

}  // namespace tandem::tools::storage
