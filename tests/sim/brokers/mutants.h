// What a careless broker does and a run must notice: none, or one. Made outside the broker's code, which
// stays as it is released.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace tandem::sim::brokers {

enum class BrokerMutant : std::uint8_t { none };

inline constexpr std::array<const char*, 1> kBrokerMutants = {"none"};

inline const char* to_string(BrokerMutant mutant) {
  return kBrokerMutants.at(static_cast<std::size_t>(mutant));
}

inline bool parse_mutant(std::string_view text, BrokerMutant& mutant) {
  for (std::size_t i = 0; i < kBrokerMutants.size(); ++i) {
    if (text != kBrokerMutants[i]) continue;
    mutant = static_cast<BrokerMutant>(i);
    return true;
  }
  return false;
}

}  // namespace tandem::sim::brokers
