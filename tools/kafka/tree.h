// What tools with --zookeeper read and write in the coordination tree, over one session: assignments, the
// brokers that are there, settings of topics and brokers. Owned by one run of a tool; every call blocks.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/controller/topic_assign.h"
#include "broker/zk/configs.h"
#include "broker/zk/topics.h"
#include "zkclient/blocking.h"

namespace tandem::tools::kafka {

class Tree {
 public:
  static base::Result<std::unique_ptr<Tree>> open(const std::string& connect);

  zkclient::OpResult call(zkclient::Op op) { return client_.call(std::move(op)); }

  bool exists(std::string path) { return call(zkclient::Op::exists(std::move(path))).ok(); }
  base::Result<std::vector<std::string>> children(std::string_view path);  // in order
  base::Result<std::optional<std::string>> data(std::string path);         // nullopt: no such znode
  base::Status write(const std::string& path, std::string data);           // created when missing

  base::Result<std::optional<broker::zk::TopicAssignment>> assignment(const std::string& topic);
  base::Result<std::vector<broker::controller::AssignableBroker>> brokers();  // by id

  // Settings of `type` "topics" or "brokers"; a change is announced to the brokers.
  base::Result<broker::zk::Config> config(std::string_view type, const std::string& entity);
  base::Status change_config(std::string_view type, const std::string& entity,
                             const broker::zk::Config& config);

 private:
  explicit Tree(zkclient::Options options) : client_(std::move(options)) {}

  zkclient::BlockingClient client_;
};

base::Error zk_error(const zkclient::OpResult& result);

}  // namespace tandem::tools::kafka
