// Requests that change nothing: looked up, checked and answered straight into the link's output. getData,
// exists and the getChildren pair allocate nothing. Any server. Source: Apache's FinalRequestProcessor.
#pragma once

#include <string>
#include <string_view>

#include "bytes/reader.h"
#include "coord/auth/authorizer.h"
#include "coord/pipeline/link.h"
#include "coord/pipeline/ops.h"
#include "coord/pipeline/wire.h"
#include "coord/tree/data_tree.h"
#include "coord/tree/watch_manager.h"
#include "jute/errors.h"

namespace tandem::coord::pipeline {

class Reader {
 public:
  Reader(const tree::DataTree& tree, tree::WatchManager& watches, const auth::Authorizer& authorizer)
      : tree_(tree), watches_(watches), authorizer_(authorizer) {}

  // Appends the reply frame (for setWatches the events before it) to `out`.
  void answer(const Link& link, const RequestView& request, std::string& out);

 private:
  // Appends the reply's body; what an error left there is cut off by answer().
  jute::ErrorCode answer_body(const Link& link, const RequestView& request, std::string& out);
  jute::ErrorCode exists(const Link& link, bytes::Reader& body, std::string& out);
  jute::ErrorCode get_data(const Link& link, bytes::Reader& body, bool with_watch, std::string& out);
  jute::ErrorCode get_children(const Link& link, bytes::Reader& body, bool with_watch, bool with_stat,
                               std::string& out);
  jute::ErrorCode get_acl(const Link& link, bytes::Reader& body, std::string& out);
  jute::ErrorCode get_all_children_number(const Link& link, bytes::Reader& body, std::string& out);
  jute::ErrorCode get_ephemerals(const Link& link, bytes::Reader& body, std::string& out);
  void multi_read(const Link& link, bytes::Reader body, ReplyFrame& frame, std::string& out);
  jute::ErrorCode set_watches(const Link& link, bytes::Reader& body, bool second, std::string& out);
  jute::ErrorCode add_watch(const Link& link, bytes::Reader& body, std::string& out);
  jute::ErrorCode watches_of(const Link& link, bytes::Reader& body, bool remove);
  jute::ErrorCode who_am_i(const Link& link, std::string& out);

  bool permitted(const Link& link, tree::NodeId node, std::int32_t perms) const;

  const tree::DataTree& tree_;
  tree::WatchManager& watches_;
  const auth::Authorizer& authorizer_;
};

}  // namespace tandem::coord::pipeline
