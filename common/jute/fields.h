// Describe-once visitor of Jute records: a record is a plain aggregate with `void describe(jute::Fields& f)`
// that names its members in wire order; encoder, decoder, printer and randomizer (codec.h) walk it.
// Wire format (ZooKeeper's zookeeper.jute): big-endian int and long, one-byte boolean, ustring and buffer as
// int length (-1 = null) and bytes, vector as int count (-1 = null) and elements; records carry no tags.
// Members may be std::string (null decodes as ""), std::optional<std::string> (keeps null apart), or, for hot
// paths, std::string_view and std::optional<std::string_view>, which point into the decoded frame.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/strong.h"

namespace tandem::jute {

using Buffer = std::optional<std::string>;  // nullopt is Jute's null; Apache keeps it through disk and wire
using BufferView = std::optional<std::string_view>;

class Fields;

template <class T>
concept Record = requires(T& record, Fields& fields) {
  record.describe(fields);
};

// The fewest bytes a value of this type takes on the wire: what bounds a count before anything is allocated.
template <class T>
std::size_t min_wire_size();

class Fields {
 public:
  virtual ~Fields() = default;

  virtual void value(const char* name, std::int32_t& v) = 0;
  virtual void value(const char* name, std::int64_t& v) = 0;
  virtual void value(const char* name, bool& v) = 0;
  virtual void value(const char* name, std::string& v) = 0;
  virtual void value(const char* name, std::string_view& v) = 0;
  virtual void value(const char* name, Buffer& v) = 0;
  virtual void value(const char* name, BufferView& v) = 0;
  // The count to walk: the decoder returns what it read (at most remaining bytes / min_size()), the others
  // `size`.
  virtual std::size_t open_vector(const char* name, std::size_t size, std::size_t (*min_size)()) = 0;
  virtual void close_vector() {}
  // Whether the fields that follow are on the wire: the decoder says whether bytes are left, the others keep
  // it.
  virtual void optional_tail(bool& /*present*/) {}
  virtual void open_record(const char* /*name*/) {}
  virtual void close_record() {}

  template <class T>
  void operator()(const char* name, T& v) {
    if constexpr (std::is_enum_v<T>) {
      auto raw = static_cast<std::int32_t>(v);
      value(name, raw);
      v = static_cast<T>(raw);
    } else if constexpr (Record<T>) {
      open_record(name);
      v.describe(*this);
      close_record();
    } else {
      value(name, v);
    }
  }

  template <class T, class Tag>
  void operator()(const char* name, base::Strong<T, Tag>& v) {
    value(name, v.value);
  }

  template <class T>
  void operator()(const char* name, std::vector<T>& v) {
    const std::size_t count = open_vector(name, v.size(), &min_wire_size<T>);
    if (count != v.size()) v.resize(count);
    for (T& element : v) (*this)("", element);
    close_vector();
  }
};

// Counts the bytes of a record whose strings and vectors are empty.
class MinSize final : public Fields {
 public:
  void value(const char*, std::int32_t&) override { size_ += 4; }
  void value(const char*, std::int64_t&) override { size_ += 8; }
  void value(const char*, bool&) override { size_ += 1; }
  void value(const char*, std::string&) override { size_ += 4; }
  void value(const char*, std::string_view&) override { size_ += 4; }
  void value(const char*, Buffer&) override { size_ += 4; }
  void value(const char*, BufferView&) override { size_ += 4; }
  std::size_t open_vector(const char*, std::size_t, std::size_t (*)()) override {
    size_ += 4;
    return 0;
  }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_ = 0;
};

template <class T>
std::size_t min_wire_size() {
  MinSize walker;
  T sample{};
  walker("", sample);
  return walker.size();
}

}  // namespace tandem::jute
