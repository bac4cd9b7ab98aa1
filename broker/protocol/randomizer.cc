#include "broker/protocol/randomizer.h"

#include <limits>

namespace tandem::broker::protocol {

namespace {

constexpr std::uint64_t kRandomTextBytesMax = 40;
constexpr std::uint64_t kBlobBytesMax = 2000;  // more than a chain copies, so that slices are linked too
constexpr std::uint64_t kElementsMax = 4;

}  // namespace

template <class T>
T Randomizer::number() {
  switch (random_.below(4)) {
    case 0:
      return static_cast<T>(random_.below(100));
    case 1:
      return random_.chance(0.5) ? std::numeric_limits<T>::max() : std::numeric_limits<T>::min();
    case 2:
      return static_cast<T>(-1);
    default:
      return static_cast<T>(random_.next());
  }
}

std::string Randomizer::text() {
  std::string out(random_.below(kRandomTextBytesMax), '\0');
  for (char& c : out) c = static_cast<char>(random_.between(' ', '~'));
  return out;
}

void Randomizer::value(bool& v) { v = random_.chance(0.5); }
void Randomizer::value(std::int8_t& v) { v = number<std::int8_t>(); }
void Randomizer::value(std::int16_t& v) { v = number<std::int16_t>(); }
void Randomizer::value(std::int32_t& v) { v = number<std::int32_t>(); }
void Randomizer::value(std::int64_t& v) { v = number<std::int64_t>(); }
void Randomizer::value(double& v) { v = static_cast<double>(number<std::int32_t>()) / 8; }
void Randomizer::value(Uuid& v) { v = Uuid::random(random_); }
void Randomizer::value(std::string& v) { v = text(); }
void Randomizer::value(Bytes& v) { v.data = text(); }

void Randomizer::value(std::optional<std::string>& v) {
  v = text();
  if (when_.nullable(version_) && random_.chance(0.3)) v.reset();
}

void Randomizer::value(std::optional<Bytes>& v) {
  v = Bytes{text()};
  if (when_.nullable(version_) && random_.chance(0.3)) v.reset();
}

void Randomizer::value(Records& v) {
  std::string blob(random_.below(kBlobBytesMax), '\0');
  for (char& c : blob) c = static_cast<char>(random_.next());
  v = random_.chance(0.2) ? Records::null() : Records(bytes::Slice::own(std::move(blob)));
}

std::int64_t Randomizer::open_array(std::int64_t, bool nullable, std::size_t) {
  if (nullable && random_.chance(0.3)) {
    ++depth_;
    return -1;
  }
  const std::uint64_t deep = static_cast<std::uint64_t>(depth_++);
  return static_cast<std::int64_t>(random_.below(kElementsMax > deep ? kElementsMax - deep : 1));
}

}  // namespace tandem::broker::protocol
