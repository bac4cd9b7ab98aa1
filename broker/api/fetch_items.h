// The partitions that one Fetch looks at: those its request names, or those of its session but for what rests
// there (fetch_rest.h), which joins them when something happens to it. Of the connection's shard; while
// owners read or begin to wait they have the items of their shard to themselves.
#pragma once

#include "broker/api/fetch_read.h"
#include "broker/api/handler.h"
#include "broker/api/scatter.h"

namespace tandem::broker::api {

class FetchItems {
 public:
  FetchItems(Services& services, const replica::ClusterImage& image);

  // Begins the session or goes on with it. With an error there is nothing to read.
  protocol::ErrorCode begin(const protocol::FetchRequest& request, const FetchRules& rules);

  std::vector<FetchItem>& all() { return items_; }
  const ShardSet& shards() const { return set_; }  // that are to read
  // None without a session, or when another request has ended or changed it since.
  replica::FetchSession* session();
  bool incremental() const { return context_.incremental; }

  // ---- what rests ----
  SessionRest* rest() { return rest_.get(); }  // null: nothing rests here
  const std::shared_ptr<replica::FetchPulse>& pulse(std::size_t shard) const;
  void take_changed();  // what rested, and does not any more, is an item again

 private:
  std::vector<replica::WantedPartition> wanted(const protocol::FetchRequest& request, std::int16_t version);
  void resolve(replica::WantedPartition& wanted) const;
  void place(FetchItem& item);
  void begin_rest(replica::FetchSession& session);
  void add(replica::FetchSession::Entries::iterator at);

  Services& services_;
  const replica::ClusterImage& image_;
  std::size_t home_;
  std::vector<FetchItem> items_;
  ShardSet set_;
  replica::FetchContext context_;
  std::int32_t session_epoch_ = 0;
  std::shared_ptr<SessionRest> rest_;
};

}  // namespace tandem::broker::api
