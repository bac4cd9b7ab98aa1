// The commands of the shell that need a server: one row each with usage, options and function. Output goes to
// stdout, remarks to stderr, and the error's context is the sentence that Apache's shell prints for it.
#pragma once

#include <span>
#include <string_view>

#include <functional>

#include "base/result.h"
#include "tools/shell/arguments.h"
#include "zkclient/blocking.h"

namespace tandem::tools::shell {

struct Verb {
  const char* name;
  const char* syntax;
  OptionSet options;
  std::size_t words_min;  // the command included; fewer is answered with the usage
  base::Status (*run)(zkclient::BlockingClient& zk, const Arguments& arguments);
  bool lists_options = false;  // the usage goes on with a line for each option
};

std::span<const Verb> node_verbs();
std::span<const Verb> acl_verbs();
std::span<const Verb> quota_verbs();
std::span<const Verb> watch_verbs();

const Verb* find_verb(std::string_view name);
std::string usage_of(const Verb& verb);

// Shared by the verbs.
base::Error keeper_error(const zkclient::OpResult& result);
base::Status check_path(std::string_view path);
// A call whose failure is an error, after the path was checked.
base::Result<zkclient::OpResult> checked_call(zkclient::BlockingClient& zk, zkclient::Op op);
// Depth first, each list of children before what is below it; the children sorted.
base::Status visit_tree(zkclient::BlockingClient& zk, const std::string& path, bool watch,
                        const std::function<base::Status(const std::string&)>& visit);

void put(std::string_view text);   // to stdout, at once
void note(std::string_view line);  // a line to stderr

}  // namespace tandem::tools::shell
