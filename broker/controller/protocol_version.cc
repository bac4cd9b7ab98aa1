#include "broker/controller/protocol_version.h"

#include <charconv>

namespace tandem::broker::controller {
namespace {

struct Release {
  std::int32_t major;
  std::int32_t minor;
  std::int32_t last_step;
};

constexpr Release kReleases[] = {{2, 7, 2}, {2, 8, 1}, {3, 0, 1}, {3, 1, 0}, {3, 2, 0}, {3, 3, 3},
                                 {3, 4, 0}, {3, 5, 2}, {3, 6, 2}, {3, 7, 4}, {3, 8, 0}, {3, 9, 0}};

std::optional<std::int32_t> number(std::string_view text) {
  std::int32_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<ProtocolVersion> ProtocolVersion::parse(std::string_view text) {
  std::optional<std::int32_t> step;
  if (const auto dash = text.find("-IV"); dash != std::string_view::npos) {
    step = number(text.substr(dash + 3));
    if (!step) return std::nullopt;
    text = text.substr(0, dash);
  }
  const auto dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto second = text.find('.', dot + 1);
  const auto major = number(text.substr(0, dot));
  const auto minor =
      number(text.substr(dot + 1, second == std::string_view::npos ? second : second - dot - 1));
  for (const auto& release : kReleases) {
    if (major != release.major || minor != release.minor) continue;
    if (step.value_or(0) > release.last_step) return std::nullopt;
    return ProtocolVersion{release.major, release.minor, step.value_or(release.last_step)};
  }
  return std::nullopt;
}

std::int16_t ProtocolVersion::leader_and_isr() const {
  if (*this >= ProtocolVersion{3, 4, 0}) return 7;
  if (*this >= ProtocolVersion{3, 2, 0}) return 6;
  return *this >= ProtocolVersion{2, 8, 1} ? 5 : 4;
}

std::int16_t ProtocolVersion::update_metadata() const {
  if (*this >= ProtocolVersion{3, 4, 0}) return 8;
  return *this >= ProtocolVersion{2, 8, 1} ? 7 : 6;
}

std::int16_t ProtocolVersion::stop_replica() const { return *this >= ProtocolVersion{3, 4, 0} ? 4 : 3; }

std::int16_t ProtocolVersion::fetch() const {
  struct Since {
    ProtocolVersion protocol;
    std::int16_t version;
  };
  constexpr Since kVersions[] = {{{3, 9, 0}, 17}, {{3, 7, 4}, 16}, {{3, 5, 1}, 15},
                                 {{3, 5, 0}, 14}, {{3, 1, 0}, 13}, {{2, 7, 1}, 12}};
  for (const auto& [protocol, version] : kVersions)
    if (*this >= protocol) return version;
  return 11;
}

std::int16_t ProtocolVersion::list_offsets() const {
  if (*this >= ProtocolVersion{3, 9, 0}) return 9;
  if (*this >= ProtocolVersion{3, 5, 0}) return 8;
  if (*this >= ProtocolVersion{3, 0, 1}) return 7;
  return *this >= ProtocolVersion{2, 8, 0} ? 6 : 5;
}

std::int16_t ProtocolVersion::offset_for_leader_epoch() const {
  return *this >= ProtocolVersion{2, 8, 0} ? 4 : 3;
}

}  // namespace tandem::broker::controller
