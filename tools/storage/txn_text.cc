#include "tools/storage/txn_text.h"

#include <fmt/format.h>

#include <cstdlib>
#include <ctime>

namespace tandem::tools::storage {

namespace {

namespace records = coord::records;

class CsvText final : public jute::Fields {
 public:
  void value(const char*, std::int32_t& v) override { item(std::to_string(v)); }
  void value(const char*, std::int64_t& v) override { item(std::to_string(v)); }
  void value(const char*, bool& v) override { item(v ? "T" : "F"); }
  void value(const char*, std::string& v) override { item("'" + escaped(v)); }
  void value(const char*, std::string_view& v) override { item("'" + escaped(v)); }
  void value(const char*, jute::Buffer& v) override { buffer(v ? jute::BufferView(*v) : std::nullopt); }
  void value(const char*, jute::BufferView& v) override { buffer(v); }
  std::size_t open_vector(const char*, std::size_t size, std::size_t (*)()) override {
    open("v{");
    return size;
  }
  void close_vector() override { close(); }
  void open_record(const char*) override { open("s{"); }
  void close_record() override { close(); }

  std::string take() { return std::move(out_); }

 private:
  static std::string escaped(std::string_view text) {
    constexpr std::string_view kSpecial("\0\n\r,}%", 6);
    std::string out;
    for (const char c : text) {
      if (kSpecial.find(c) == std::string_view::npos) {
        out += c;
      } else {
        out += fmt::format("%{:02X}", static_cast<std::uint8_t>(c));
      }
    }
    return out;
  }

  void buffer(jute::BufferView v) {
    std::string text = "#";
    for (const char c : v.value_or(std::string_view()))
      text += fmt::format("{:02x}", static_cast<std::uint8_t>(c));
    item(text);
  }
  void item(const std::string& text) {
    if (!first_) out_ += ',';
    first_ = false;
    out_ += text;
  }
  void open(const char* text) {
    item(text);
    first_ = true;
  }
  void close() {
    out_ += '}';
    first_ = false;
  }

  std::string out_;
  bool first_ = true;
};

template <class R>
std::string csv(const R& record) {
  CsvText text;
  const_cast<R&>(record).describe(text);  // the walker only reads
  return text.take() + "\n";
}

std::string list(const std::vector<jute::ACL>& acl) {
  std::string text;
  for (const jute::ACL& one : acl) text += (text.empty() ? "" : ", ") + csv(one);
  return "[" + text + "]";
}

// How long the well-formed UTF-8 character at the start is, or, negative, how many bytes of a malformed one
// Java replaces by one mark.
int character(std::string_view text) {
  const auto at = [text](std::size_t i) { return i < text.size() ? static_cast<std::uint8_t>(text[i]) : 0; };
  const int lead = at(0);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return -1;
  const int length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  // The second byte is where too long forms, surrogates and what is beyond the last plane are told apart.
  const int low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const int high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (at(1) < low || at(1) > high) return -1;
  for (int i = 2; i < length; ++i)
    if ((at(static_cast<std::size_t>(i)) & 0xc0) != 0x80) return -i;
  return length;
}

// Data as Java's String shows it on a terminal that speaks UTF-8.
std::string as_text(const jute::Buffer& data) {
  std::string out;
  for (std::string_view rest = data ? std::string_view(*data) : ""; !rest.empty();) {
    const int length = character(rest);
    const auto step = static_cast<std::size_t>(std::abs(length));
    out += length > 0 ? rest.substr(0, step) : "\xef\xbf\xbd";
    rest.remove_prefix(step);
  }
  return out;
}

struct Payload {
  std::string operator()(const records::CreateTxn& t) const {
    return fmt::format("{},{},{},{},{}", t.path, as_text(t.data), list(t.acl), t.ephemeral,
                       t.parent_cversion);
  }
  std::string operator()(const records::CreateContainerTxn& t) const {
    return fmt::format("{},{},{},{}", t.path, as_text(t.data), list(t.acl), t.parent_cversion);
  }
  std::string operator()(const records::CreateTTLTxn& t) const {
    return fmt::format("{},{},{},{},{}", t.path, as_text(t.data), list(t.acl), t.parent_cversion, t.ttl);
  }
  std::string operator()(const records::SetDataTxn& t) const {
    return fmt::format("{},{},{}", t.path, as_text(t.data), t.version);
  }
  std::string operator()(const records::MultiTxn& t) const {
    std::string text;
    for (const records::SubTxn& part : t.txns)
      text += fmt::format("{}{}:{}", text.empty() ? "" : ";", jute::to_string(part.type), as_text(part.data));
    return text;
  }
  std::string operator()(const records::CloseSessionTxn& t) const {
    return t.listed ? csv(t) : std::string();
  }
  template <class R>
  std::string operator()(const R& record) const {
    return csv(record);
  }
};

// java.text.DateFormat, SHORT and LONG, in English.
std::string date_text(std::int64_t ms) {
  const std::time_t seconds = ms >= 0 ? ms / 1000 : (ms - 999) / 1000;
  std::tm local{};
  localtime_r(&seconds, &local);
  char text[64];
  std::strftime(text, sizeof text, "%-m/%-d/%y, %-I:%M:%S %p %Z", &local);
  return text;
}

}  // namespace

std::string txn_line(const records::LoggedTxn& txn) {
  const records::TxnHeader& header = txn.header;
  std::string line =
      fmt::format("{} session 0x{:x} cxid 0x{:x} zxid 0x{:x} {} {}", date_text(header.time),
                  static_cast<std::uint64_t>(header.client_id.value), static_cast<std::uint32_t>(header.cxid),
                  bits(header.zxid), jute::to_string(header.type), std::visit(Payload(), txn.body));
  if (!line.ends_with('\n')) line += '\n';
  return line;
}

}  // namespace tandem::tools::storage
