// Lines from a person or a pipe. On a terminal libedit edits them, with history (kept in a file) and
// completion by TAB; else they are read as they come and the prompt is printed all the same, as Apache's
// shell does.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tandem::tools::shell {

class LineEditor {
 public:
  // Words that the last word of the line may become.
  using Complete = std::function<std::vector<std::string>(const std::string& word)>;

  LineEditor(std::string history_file, Complete complete);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  std::optional<std::string> read(const std::string& prompt);  // nullopt at the end

 private:
  struct Terminal;
  std::unique_ptr<Terminal> terminal_;
};

}  // namespace tandem::tools::shell
