#include <fmt/core.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "tests/transcript/transcript.h"

namespace tandem::transcript {
namespace {

constexpr std::string_view kSeparator = "----";

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

// Both texts from the first line in which they differ.
std::string difference(const std::vector<std::string>& expected, const std::vector<std::string>& printed) {
  std::size_t same = 0;
  while (same < expected.size() && same < printed.size() && expected[same] == printed[same]) ++same;
  std::string out;
  for (std::size_t i = 0; i < same; ++i) out += "      " + expected[i] + "\n";
  for (std::size_t i = same; i < expected.size(); ++i) out += "    - " + expected[i] + "\n";
  for (std::size_t i = same; i < printed.size(); ++i) out += "    + " + printed[i] + "\n";
  return out;
}

bool run_file(const std::string& path, bool rewrite, const MakeWorld& make_world) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  const auto blocks = parse(text.str());
  if (!in || blocks.empty()) {
    fmt::print("{}: cannot be read, or holds no block\n", path);
    return false;
  }
  const auto world = make_world();
  const auto outcome = run(blocks, *world);
  for (const auto& failure : outcome.failures) fmt::print("{}:{}", path, failure);
  if (!outcome.fault.empty()) fmt::print("{}:{}", path, outcome.fault);
  if (rewrite && outcome.fault.empty() && outcome.blocks != blocks) {
    std::ofstream(path) << format(outcome.blocks);
    fmt::print("{}: rewritten\n", path);
    return true;
  }
  return outcome.failures.empty() && outcome.fault.empty();
}

}  // namespace

std::vector<Block> parse(std::string_view text) {
  std::vector<Block> blocks;
  Block block;
  bool expecting = false;
  std::size_t number = 0;
  for (auto& line : lines_of(text)) {
    ++number;
    if (expecting && line.empty()) {
      blocks.push_back(std::exchange(block, {}));
      block.head.push_back("");
      expecting = false;
    } else if (expecting) {
      block.expected.push_back(std::move(line));
    } else if (line == kSeparator) {
      expecting = true;
    } else if (block.commands.empty() && (line.empty() || line.starts_with('#'))) {
      block.head.push_back(std::move(line));
    } else {
      if (block.commands.empty()) block.line = number;
      block.commands.push_back(std::move(line));
    }
  }
  if (!block.head.empty() || !block.commands.empty()) blocks.push_back(std::move(block));
  return blocks;
}

std::string format(const std::vector<Block>& blocks) {
  std::string out;
  const auto put = [&out](const std::vector<std::string>& lines) {
    for (const auto& line : lines) out += line + "\n";
  };
  for (const auto& block : blocks) {
    put(block.head);
    put(block.commands);
    if (block.commands.empty()) continue;
    out += std::string(kSeparator) + "\n";
    put(block.expected);
  }
  return out;
}

Outcome run(const std::vector<Block>& blocks, World& world) {
  Outcome out;
  for (const auto& block : blocks) {
    Block& printed = out.blocks.emplace_back(block);
    for (std::size_t at = 0; at < block.commands.size(); ++at) {
      try {
        world.perform(Command(block.commands[at]));
      } catch (const Fault& caught) {
        out.fault = fmt::format("{}: {}\n", block.line + at, caught.what());
        return out;
      }
    }
    printed.expected = world.take_output();
    if (printed.expected != block.expected) {
      out.failures.push_back(fmt::format("{}: `{}` printed something else\n{}", block.line,
                                         fmt::join(block.commands, "; "),
                                         difference(block.expected, printed.expected)));
    }
  }
  return out;
}

int run_main(int argc, char** argv, const MakeWorld& make_world) {
  std::vector<std::string> paths(argv + 1, argv + argc);
  const bool rewrite = std::erase(paths, "--rewrite") > 0;
  if (paths.empty()) {
    fmt::print(stderr, "usage: {} [--rewrite] SCRIPT...\n", argv[0]);
    return 2;
  }
  std::size_t failed = 0;
  for (const auto& path : paths) failed += run_file(path, rewrite, make_world) ? 0 : 1;
  fmt::print("transcripts: {} passed, {} failed\n", paths.size() - failed, failed);
  return failed == 0 ? 0 : 1;
}

}  // namespace tandem::transcript
