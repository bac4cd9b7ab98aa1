// Fields: the visitor that every message describes itself to. A message is a plain struct whose describe()
// names its fields in wire order, each with the versions it exists in; a walker (encoder, decoder, printer,
// randomizer, schema writer) is a subclass, compiled once. One visitor call a field, about 2 ns.
//   void describe(Fields& f) {
//     f("group_id", group_id);
//     f("group_instance_id", group_instance_id, since(3));   // std::optional: may be null
//     f.tagged(0, "cluster_id", cluster_id, since(12));      // tagged fields last, tags ascending
//   }
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "base/arity.h"
#include "broker/protocol/records.h"
#include "broker/protocol/uuid.h"
#include "broker/protocol/versions.h"

namespace tandem::broker::protocol {

constexpr std::int16_t kTextBytesMax = INT16_MAX;  // of a string; also of a flexible one, as in Kafka

class Fields;

template <class T>
concept Described = requires(T& value, Fields& fields) {
  value.describe(fields);
};

class Fields {
 public:
  virtual ~Fields() = default;

  template <class T>
  void operator()(const char* name, T& field, When when = kAlways) {
    if (!when.has(version_) && !every_field_) return;
    name_ = name;
    when_ = when;
    visit(field);
  }

  // Written only when different from `absent`, the value that readers assume when the tag is not there.
  template <class T>
  void tagged(std::uint32_t tag, const char* name, T& field, When when, const T& absent = T{}) {
    if (!when.has(version_) && !every_field_) return;
    name_ = name;
    when_ = when;
    if (!open_tag(tag, field == absent)) return;
    visit(field);
    close_tag();
  }

  // The message as a whole.
  template <Described T>
  void walk(T& message) {
    name_ = "";
    visit(message);
  }

  std::int16_t version() const { return version_; }

 protected:
  enum class Mode { reads_values, fills_values, names_fields };

  Fields(std::int16_t version, bool flexible, Mode mode)
      : version_(version),
        flexible_(flexible),
        fills_values_(mode == Mode::fills_values),
        every_field_(mode == Mode::names_fields) {}

  virtual void value(bool& v) = 0;
  virtual void value(std::int8_t& v) = 0;
  virtual void value(std::int16_t& v) = 0;
  virtual void value(std::int32_t& v) = 0;
  virtual void value(std::int64_t& v) = 0;
  virtual void value(double& v) = 0;
  virtual void value(Uuid& v) = 0;
  virtual void value(std::string& v) = 0;
  virtual void value(std::optional<std::string>& v) = 0;
  virtual void value(Bytes& v) = 0;
  virtual void value(std::optional<Bytes>& v) = 0;
  virtual void value(Records& v) = 0;

  // Walkers that read get the size (-1: null) and return it; those that fill return the size they want, -1
  // for null. `bytes_min` is the least an element takes on the wire.
  virtual std::int64_t open_array(std::int64_t size, bool nullable, std::size_t bytes_min) = 0;
  virtual void close_array() = 0;
  virtual void open_struct() = 0;
  virtual void close_struct() = 0;
  virtual bool open_tag(std::uint32_t tag, bool is_absent) = 0;  // false: leave the field alone
  virtual void close_tag() = 0;

  const std::int16_t version_;
  const bool flexible_;
  const bool fills_values_;
  const bool every_field_;  // also the fields that version_ does not have; for walkers that list fields
  bool failed_ = false;     // set by walkers that fill; ends arrays early
  const char* name_ = "";   // of the field being visited
  When when_;
  std::size_t members_ = 0;  // of the struct being opened; for walkers that check that all are named

 private:
  static constexpr std::int64_t kReserveMax = 1024;  // elements reserved before the first is seen to exist

  template <class E>
  static constexpr std::size_t wire_bytes_min() {
    if constexpr (std::is_arithmetic_v<E>) return sizeof(E);
    if constexpr (std::is_same_v<E, Uuid>) return sizeof(Uuid);
    return 1;
  }

  template <class T>
  void visit(T& field) {
    if constexpr (std::is_enum_v<T>) {
      auto raw = static_cast<std::underlying_type_t<T>>(field);
      value(raw);
      field = static_cast<T>(raw);
    } else if constexpr (Described<T>) {
      members_ = base::kMembers<T>;
      open_struct();
      field.describe(*this);
      close_struct();
    } else {
      value(field);
    }
  }

  template <class E>
  void visit(std::vector<E>& field) {
    elements(field, open_array(static_cast<std::int64_t>(field.size()), false, wire_bytes_min<E>()));
  }

  template <class E>
  void visit(std::optional<std::vector<E>>& field) {
    const std::int64_t had = field ? static_cast<std::int64_t>(field->size()) : -1;
    const std::int64_t size = open_array(had, when_.nullable(version_), wire_bytes_min<E>());
    if (size < 0) {
      if (fills_values_) field.reset();
      close_array();
      return;
    }
    if (!field) field.emplace();
    elements(*field, size);
  }

  template <class E>
  void elements(std::vector<E>& field, std::int64_t size) {
    if (fills_values_) {
      field.clear();
      field.reserve(static_cast<std::size_t>(std::min(size, kReserveMax)));
      for (std::int64_t i = 0; i < size && !failed_; ++i) visit(field.emplace_back());
    } else if (every_field_) {
      E sample{};
      visit(sample);
    } else {
      for (E& element : field) visit(element);
    }
    close_array();
  }
};

}  // namespace tandem::broker::protocol
