#include "tools/shell/line_editor.h"

#include <histedit.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace tandem::tools::shell {

namespace {

constexpr int kHistoryLines = 1000;

std::string common_prefix(const std::vector<std::string>& words) {
  std::string prefix = words.front();
  for (const std::string& word : words) {
    const auto end = std::mismatch(prefix.begin(), prefix.end(), word.begin(), word.end()).first;
    prefix.erase(end, prefix.end());
  }
  return prefix;
}

}  // namespace

struct LineEditor::Terminal {
  EditLine* edit = nullptr;
  History* history = nullptr;
  HistEvent event{};
  std::string history_file;
  std::string prompt;
  Complete complete;

  static Terminal* of(EditLine* edit) {
    void* data = nullptr;
    el_get(edit, EL_CLIENTDATA, &data);
    return static_cast<Terminal*>(data);
  }

  static char* show_prompt(EditLine* edit) { return of(edit)->prompt.data(); }

  static unsigned char on_tab(EditLine* edit, int) {
    const LineInfo* line = el_line(edit);
    const std::string before(line->buffer, line->cursor);
    const std::string word = before.substr(before.find_last_of(' ') + 1);
    const auto words = of(edit)->complete(word);
    if (words.empty()) return CC_ERROR;
    const std::string prefix = common_prefix(words);
    const std::string more =
        (prefix.size() > word.size() ? prefix.substr(word.size()) : "") + (words.size() == 1 ? " " : "");
    if (!more.empty()) return el_insertstr(edit, more.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
    std::fputc('\n', stdout);
    for (const std::string& one : words) std::printf("%s  ", one.c_str());
    std::fputc('\n', stdout);
    return CC_REDISPLAY;
  }
};

LineEditor::LineEditor(std::string history_file, Complete complete) {
  if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0) return;
  terminal_ = std::make_unique<Terminal>();
  Terminal& terminal = *terminal_;
  terminal.history_file = std::move(history_file);
  terminal.complete = std::move(complete);
  terminal.history = history_init();
  history(terminal.history, &terminal.event, H_SETSIZE, kHistoryLines);
  history(terminal.history, &terminal.event, H_SETUNIQUE, 1);
  if (!terminal.history_file.empty())
    history(terminal.history, &terminal.event, H_LOAD, terminal.history_file.c_str());
  terminal.edit = el_init("zkCli", stdin, stdout, stderr);
  el_set(terminal.edit, EL_CLIENTDATA, &terminal);
  el_set(terminal.edit, EL_PROMPT, &Terminal::show_prompt);
  el_set(terminal.edit, EL_EDITOR, "emacs");
  el_set(terminal.edit, EL_HIST, history, terminal.history);
  el_set(terminal.edit, EL_ADDFN, "complete", "complete the word", &Terminal::on_tab);
  el_set(terminal.edit, EL_BIND, "\t", "complete", nullptr);
  el_set(terminal.edit, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  el_set(terminal.edit, EL_SIGNAL, 1);
}

LineEditor::~LineEditor() {
  if (!terminal_) return;
  if (!terminal_->history_file.empty())
    history(terminal_->history, &terminal_->event, H_SAVE, terminal_->history_file.c_str());
  el_end(terminal_->edit);
  history_end(terminal_->history);
}

std::optional<std::string> LineEditor::read(const std::string& prompt) {
  std::string line;
  if (terminal_) {
    terminal_->prompt = prompt;
    int count = 0;
    const char* text = el_gets(terminal_->edit, &count);
    if (text == nullptr || count <= 0) return std::nullopt;
    line.assign(text, static_cast<std::size_t>(count));
    if (line.find_first_not_of(" \n") != std::string::npos)
      history(terminal_->history, &terminal_->event, H_ENTER, line.c_str());
  } else {
    std::fputs(prompt.c_str(), stdout);
    std::fflush(stdout);
    int c = 0;
    while ((c = std::getc(stdin)) != EOF && c != '\n') line += static_cast<char>(c);
    if (c == EOF && line.empty()) return std::nullopt;
  }
  while (line.ends_with('\n') || line.ends_with('\r')) line.pop_back();
  return line;
}

}  // namespace tandem::tools::shell
