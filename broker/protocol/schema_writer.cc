#include "broker/protocol/schema_writer.h"

#include <fmt/format.h>

#include "broker/protocol/apis.h"
#include "broker/protocol/errors.h"

namespace tandem::broker::protocol {

namespace {

std::string versions_text(std::int16_t first, std::int16_t last) {
  if (last == kNewestVersion) return fmt::format("{}+", first);
  return first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last);
}

void append_message(std::string& out, const char* what, AnyMessage& message, std::int16_t version_max) {
  fmt::format_to(std::back_inserter(out), "{}:\n\n```\n", what);
  SchemaWriter writer(out, version_max);
  message.walk(writer);
  out += "```\n\n";
}

void append_api(std::string& out, const Api& api) {
  fmt::format_to(std::back_inserter(out), "## {} ({})\n\n", api.name, static_cast<int>(api.key));
  append_message(out, "Request", *api.make_request(), api.version_max);
  append_message(out, "Response", *api.make_response(), api.version_max);
}

}  // namespace

void SchemaWriter::line(const char* type, bool optional) {
  out_.append(static_cast<std::size_t>(depth_ > 0 ? (depth_ - 1) * 2 : 0), ' ');
  fmt::format_to(std::back_inserter(out_), "{}: {}{}{}  {}", name_, in_array_ ? "[]" : "", type,
                 optional ? "?" : "", versions_text(when_.first, when_.last));
  if (optional && when_.null_first > when_.first)
    fmt::format_to(std::back_inserter(out_), "  null {}", versions_text(when_.null_first, when_.null_last));
  if (tag_ >= 0) fmt::format_to(std::back_inserter(out_), "  tag {}", tag_);
  out_ += '\n';
  in_array_ = false;
}

std::int64_t SchemaWriter::open_array(std::int64_t, bool, std::size_t) {
  in_array_ = true;
  return 0;
}

void SchemaWriter::open_struct() {
  if (depth_ > 0) line("struct");
  ++depth_;
  tag_ = -1;
}

bool SchemaWriter::open_tag(std::uint32_t tag, bool) {
  tag_ = tag;
  return true;
}

std::string render_protocol_reference() {
  std::string out =
      "# The wire protocol of tandem-broker\n\n"
      "Rendered from the tables in `broker/protocol`. Every frame is an int32 size, a header and a message.\n"
      "A field's line gives its type, the versions that have it, and its tag where it is a tagged field;\n"
      "`?` marks what may be null. Flexible versions use compact lengths and carry tagged fields.\n\n"
      "| key | API | versions | flexible | advertised |\n|---|---|---|---|---|\n";
  for (const Api& api : all_apis())
    fmt::format_to(std::back_inserter(out), "| {} | {} | 0-{} | {} | {} |\n", static_cast<int>(api.key),
                   api.name, api.version_max,
                   api.flexible_since == kNeverFlexible ? "never" : fmt::format("{}+", api.flexible_since),
                   api.advertised ? "yes" : "no");
  out += '\n';
  for (const Api& api : all_apis()) append_api(out, api);
  out += "## Errors\n\n| code | name | retriable | meaning |\n|---|---|---|---|\n";
  for (const ErrorInfo& error : all_errors())
    fmt::format_to(std::back_inserter(out), "| {} | {} | {} | {} |\n", static_cast<int>(error.code),
                   error.name, error.retriable ? "yes" : "no", error.sentence);
  return out;
}

}  // namespace tandem::broker::protocol
