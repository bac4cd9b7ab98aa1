#include <algorithm>

#include "broker/api/config_alteration.h"
#include "broker/api/config_registry.h"
#include "broker/api/handlers.h"

namespace tandem::broker::api {

namespace {

using protocol::ErrorCode;
using protocol::IncrementalAlterConfigsRequest;
using Change = IncrementalAlterConfigsRequest::AlterableConfig;

enum class Operation : std::int8_t { set = 0, remove = 1, append = 2, subtract = 3 };

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  ENSURE(conf::fields::parse(text, {}, words).has_value());
  return words;
}

std::string joined(const std::vector<std::string>& words) { return conf::fields::print(words, {}); }

class Changer {
 public:
  Changer(ConfigRegistry::Snapshot now, bool of_topic) : now_(std::move(now)), of_topic_(of_topic) {}

  std::optional<AlterRefusal> apply(const std::vector<Change>& changes, zk::Config& settings) const {
    for (std::size_t i = 0; i < changes.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (changes[i].name != changes[j].name) continue;
        return AlterRefusal{ErrorCode::invalid_request,
                            fmt::format("Error due to duplicate config keys : {}", changes[i].name)};
      }
      if (auto refusal = apply_one(changes[i], settings)) return refusal;
    }
    return std::nullopt;
  }

 private:
  std::optional<AlterRefusal> apply_one(const Change& change, zk::Config& settings) const {
    const auto at = std::find_if(settings.begin(), settings.end(),
                                 [&](const auto& entry) { return entry.first == change.name; });
    const auto put = [&](std::string value) {
      if (at == settings.end()) {
        settings.emplace_back(change.name, std::move(value));
      } else {
        at->second = std::move(value);
      }
    };
    const auto operation = static_cast<Operation>(change.config_operation);
    if (operation != Operation::remove && !change.value) {
      return AlterRefusal{ErrorCode::invalid_request,
                          fmt::format("Null value not supported for : {}", change.name)};
    }
    switch (operation) {
      case Operation::set:
        put(*change.value);
        return std::nullopt;
      case Operation::remove:
        if (at != settings.end()) settings.erase(at);
        return std::nullopt;
      case Operation::append:
      case Operation::subtract: {
        const bool append = operation == Operation::append;
        if (!is_list(change.name)) {
          return AlterRefusal{ErrorCode::invalid_config,
                              fmt::format("Config value {} is not allowed for config key: {}",
                                          append ? "append" : "subtract", change.name)};
        }
        std::vector<std::string> words = words_of(at == settings.end() ? fallback(change.name) : at->second);
        for (const std::string& word : words_of(*change.value)) {
          const auto found = std::find(words.begin(), words.end(), word);
          if (append && found == words.end()) words.push_back(word);
          if (!append && found != words.end()) words.erase(found);
        }
        put(joined(words));
        return std::nullopt;
      }
    }
    return AlterRefusal{ErrorCode::unknown_server_error, ""};  // all that Kafka says of an unknown operation
  }

  const conf::Setting* find(const std::string& name) const {
    return of_topic_ ? now_->tables().topic.rows().find(name) : now_->tables().broker.rows().find(name);
  }
  bool is_list(const std::string& name) const {
    const conf::Setting* setting = find(name);
    return setting != nullptr && setting->type() == conf::Type::list;
  }
  std::string fallback(const std::string& name) const {
    const conf::Setting* setting = find(name);
    const void* defaults = of_topic_ ? static_cast<const void*>(&now_->tables().topic.defaults())
                                     : &now_->tables().broker.defaults();
    return setting->field.get(defaults, setting->options).value_or("");
  }

  ConfigRegistry::Snapshot now_;
  bool of_topic_;
};

}  // namespace

void incremental_alter_configs(Call call, IncrementalAlterConfigsRequest request) {
  const auto now = call.services.configs->now();
  alter_and_answer(std::move(call), std::move(request), [&now](auto& resource) {
    return [changer = Changer(now, resource.resource_type == kTopicResource),
            changes = std::move(resource.configs)](zk::Config& settings) {
      return changer.apply(changes, settings);
    };
  });
}

}  // namespace tandem::broker::api
