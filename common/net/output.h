// Sending a Chain over a non-blocking socket: strings and slices gathered into one call, file ranges by
// sendfile, so that a payload in the page cache is never copied through this process.
#pragma once

#include <string_view>

#include "bytes/chain.h"

namespace tandem::net {

// Sends what fits of `first` and then of the chain's next pieces, up to and excluding the first file range;
// or, where a range comes first, of that range. As send(2): bytes sent, or -1 and errno. Drops nothing.
long send_chain(int fd, std::string_view first, const bytes::Chain& chain);

// Removes `count` bytes from the front of the chain.
void drop_front(bytes::Chain& chain, std::size_t count);

}  // namespace tandem::net
