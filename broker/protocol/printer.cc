#include "broker/protocol/printer.h"

#include <fmt/format.h>

namespace tandem::broker::protocol {

void Printer::item() {
  if (levels_.empty()) return;
  Level& level = levels_.back();
  if (!level.first) out_ += ", ";
  level.first = false;
  if (level.named) {
    out_ += name_;
    out_ += '=';
  }
}

template <class T>
void Printer::number(const T& v) {
  item();
  if (when_.hidden) {
    out_ += "<hidden>";
  } else {
    fmt::format_to(std::back_inserter(out_), "{}", v);
  }
}

void Printer::quoted(std::string_view text) {
  item();
  if (when_.hidden) {
    out_ += "<hidden>";
    return;
  }
  out_ += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out_ += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out_), "\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out_ += c;
    }
  }
  out_ += '"';
}

void Printer::blob(std::uint64_t size) {
  item();
  fmt::format_to(std::back_inserter(out_), "<{} B>", size);
}

void Printer::value(bool& v) { number(v); }
void Printer::value(std::int8_t& v) { number(static_cast<int>(v)); }
void Printer::value(std::int16_t& v) { number(v); }
void Printer::value(std::int32_t& v) { number(v); }
void Printer::value(std::int64_t& v) { number(v); }
void Printer::value(double& v) { number(v); }
void Printer::value(Uuid& v) { number(v.to_string()); }
void Printer::value(std::string& v) { quoted(v); }
void Printer::value(Bytes& v) { blob(v.data.size()); }

void Printer::value(std::optional<std::string>& v) {
  if (v) return quoted(*v);
  item();
  out_ += "null";
}

void Printer::value(std::optional<Bytes>& v) {
  if (v) return blob(v->data.size());
  item();
  out_ += "null";
}

void Printer::value(Records& v) {
  if (!v.is_null()) return blob(v.size());
  item();
  out_ += "null";
}

std::int64_t Printer::open_array(std::int64_t size, bool, std::size_t) {
  item();
  out_ += size < 0 ? "null" : "[";
  levels_.push_back({false, true, size < 0 ? '\0' : ']'});
  return size;
}

void Printer::close_array() {
  if (levels_.back().closing != 0) out_ += levels_.back().closing;
  levels_.pop_back();
}

void Printer::open_struct() {
  item();
  out_ += '{';
  levels_.push_back({true, true, '}'});
}

void Printer::close_struct() {
  out_ += levels_.back().closing;
  levels_.pop_back();
}

bool Printer::open_tag(std::uint32_t, bool is_absent) { return !is_absent; }

}  // namespace tandem::broker::protocol
