#include "tools/storage/txn_text.h"

#include <fmt/format.h>

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

struct Payload {
  std::string operator()(const records::CreateTxn& t) const {
    return fmt::format("{},{},{},{},{}", t.path, t.data.value_or(""), list(t.acl), t.ephemeral,
                       t.parent_cversion);
  }
  std::string operator()(const records::CreateContainerTxn& t) const {
    return fmt::format("{},{},{},{}", t.path, t.data.value_or(""), list(t.acl), t.parent_cversion);
  }
  std::string operator()(const records::CreateTTLTxn& t) const {
    return fmt::format("{},{},{},{},{}", t.path, t.data.value_or(""), list(t.acl), t.parent_cversion, t.ttl);
  }
  std::string operator()(const records::SetDataTxn& t) const {
    return fmt::format("{},{},{}", t.path, t.data.value_or(""), t.version);
  }
  std::string operator()(const records::MultiTxn& t) const {
    std::string text;
    for (const records::SubTxn& part : t.txns)
      text +=
          fmt::format("{}{}:{}", text.empty() ? "" : ";", jute::to_string(part.type), part.data.value_or(""));
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
                  static_cast<std::uint64_t>(header.zxid.value), jute::to_string(header.type),
                  std::visit(Payload(), txn.body));
  if (!line.ends_with('\n')) line += '\n';
  return line;
}

}  // namespace tandem::tools::storage
