// Renders the reference of a table of settings: docs/config-*.md and what --describe-config prints, which
// lint holds equal.
#pragma once

#include <string>

#include "conf/table.h"

namespace tandem::conf {

const char* to_string(Type type);  // as Kafka's DescribeConfigs names it: "BOOLEAN", "INT", ...

struct Reference {
  std::string title;
  std::string introduction;  // Markdown
};

std::string render_reference(const Reference& reference, const Rows& rows, const void* defaults);

template <class Config>
std::string render_reference(const Reference& reference, const Table<Config>& table) {
  return render_reference(reference, table.rows(), &table.defaults());
}

}  // namespace tandem::conf
