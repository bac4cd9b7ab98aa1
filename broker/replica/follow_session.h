// FollowSession: the fetching side of incremental fetch sessions (KIP-227): what the leader was told last of
// each partition, so that a request names only what is new, changed or no longer wanted. One for each
// connection to a leader; owned by its Fetcher, on its thread. Rules as in Kafka's FetchSessionHandler.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "broker/replica/fetch_session.h"
#include "broker/zk/names.h"

namespace tandem::broker::replica {

class FollowSession {
 public:
  // What is to be fetched from now on, and what not any more; not while a request is under way.
  void want(WantedPartition partition);
  void drop(const zk::TopicPartition& partition);
  std::size_t wanted() const { return rows_.size(); }
  bool have_ids() const { return without_id_ == 0; }  // of all that is wanted

  // Fills in session, partitions and forgotten partitions.
  void build(bool by_topic_id, protocol::FetchRequest& request);

  enum class Verdict {
    good,       // the response counts
    again,      // nothing of it counts, the next request begins a session
    not_known,  // the same, and to ask again at once would bring the same
  };
  Verdict accept(const protocol::FetchResponse& response);
  void on_lost();  // no response will come

  // The partition that a row of a response is about; its topic is empty where nobody asked for it.
  zk::TopicPartition named(const protocol::FetchResponse::FetchableTopicResponse& topic,
                           std::int32_t partition) const;
  std::int32_t id() const { return id_; }
  std::int32_t epoch() const { return epoch_; }

 private:
  void begin_anew();
  bool answers_what_was_asked(const protocol::FetchResponse& response) const;

  std::int32_t id_ = 0;
  std::int32_t epoch_ = 0;  // of the next request; 0 asks for a new session
  bool asked_in_full_ = false;
  bool by_topic_id_ = false;
  struct Row {
    WantedPartition wanted;
    bool told = false;  // to the leader, in this identity
  };
  std::map<zk::TopicPartition, Row> rows_;
  std::set<zk::TopicPartition> changed_;                     // since the last request
  std::map<zk::TopicPartition, WantedPartition> forgotten_;  // as they were told
  std::map<protocol::Uuid, std::string> names_;              // of topics wanted once
  std::size_t without_id_ = 0;
};

}  // namespace tandem::broker::replica
