#include "conf/reference.h"

namespace tandem::conf {

namespace {

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string valid_values(const Options& options) {
  std::string out;
  const auto number = [](double value) { return fmt::format("{}", static_cast<std::int64_t>(value)); };
  if (options.min) out += " ≥ " + number(*options.min);
  if (options.max) out += " ≤ " + number(*options.max);
  for (const auto word : options.one_of) out.append(out.empty() ? " " : ", ").append(word);
  return out;
}

const char* change_text(Change change) {
  switch (change) {
    case Change::at_start:
      return "at start";
    case Change::live:
      return "live";
    case Change::live_per_server:
      return "live, per server";
  }
  UNREACHABLE("change {}", static_cast<int>(change));
}

std::string doc_text(const Setting& setting) {
  std::string doc(setting.options.doc);
  for (const auto alias : setting.options.aliases) doc += fmt::format(" Also read as `{}`.", alias);
  if (!setting.options.property.empty() && setting.options.property != setting.key) {
    doc += fmt::format(" Java property `{}`.", setting.options.property);
  }
  if (setting.options.state == State::accepted) doc += " *Accepted; not here yet.*";
  if (setting.options.state == State::retired) doc += " *Of older versions; ignored.*";
  if (setting.options.sensitive) doc += " Never shown.";
  return doc;
}

}  // namespace

const char* to_string(Type type) {
  switch (type) {
    case Type::boolean:
      return "BOOLEAN";
    case Type::string:
      return "STRING";
    case Type::int16:
      return "SHORT";
    case Type::int32:
      return "INT";
    case Type::int64:
      return "LONG";
    case Type::float64:
      return "DOUBLE";
    case Type::list:
      return "LIST";
    case Type::name_of_class:
      return "CLASS";
    case Type::password:
      return "PASSWORD";
  }
  UNREACHABLE("type {}", static_cast<int>(type));
}

std::string render_reference(const Reference& reference, const Rows& rows, const void* defaults) {
  std::string out = fmt::format("# {}\n\n{}\n\n", reference.title, reference.introduction);
  out += "| key | type | default | changes | what it does |\n|---|---|---|---|---|\n";
  for (const Setting& setting : rows.settings()) {
    const auto value = setting.field.get(defaults, setting.options);
    const std::string shown = !value ? "–" : value->empty() ? "empty" : fmt::format("`{}`", cell(*value));
    out += fmt::format("| `{}` | {}{} | {} | {} | {} |\n", setting.key, to_string(setting.type()),
                       cell(valid_values(setting.options)), shown, change_text(setting.options.change),
                       cell(doc_text(setting)));
  }
  return out;
}

}  // namespace tandem::conf
