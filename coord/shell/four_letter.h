// Four-letter words: one table of words, each a function that appends Apache's text. Whitelist and refusals
// as Apache's. Reads the pipeline's status; facts of the process come from the server. On the loop's thread.
// Source of the texts: Apache's server/command and ServerCnxn, ServerStats; coordination.md 4.2.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "coord/pipeline/pipeline.h"

namespace tandem::coord::shell {

// What the words tell about the process; filled by the server once, the functions called when asked.
struct ServerFacts {
  std::string version = "3.9.5-tandem, built on unknown";  // clients parse the three numbers
  std::uint16_t client_port = 0;
  std::string data_dir;  // version-2 included, as Apache prints it
  std::string data_log_dir;
  std::int64_t tick_time_ms = 3000;
  std::int64_t max_client_cnxns = 60;
  std::int64_t min_session_timeout_ms = 6000;
  std::int64_t max_session_timeout_ms = 60000;
  std::int64_t listen_backlog = -1;
  std::int64_t server_id = 0;
  base::Instant started;
  std::vector<std::string> whitelist = {"srvr"};  // "*" for all; srvr is always in
  std::function<std::uint64_t()> data_dir_size;
  std::function<std::uint64_t()> data_log_dir_size;
  // Of a member of an ensemble: what conf tells behind the server's own lines.
  std::function<std::string()> ensemble_conf;
  // Further lines of mntr, without "zk_": counters and summaries of the log and the snapshots.
  std::function<std::vector<std::pair<std::string, std::string>>()> monitor_values;
  std::vector<std::pair<std::string, std::string>> environment;  // of envi, behind zookeeper.version
};

bool is_four_letter_word(std::string_view word);

class FourLetterWords {
 public:
  // `serving` gives the pipeline of the current role, or nothing while nobody is served.
  FourLetterWords(ServerFacts facts, std::function<pipeline::Pipeline*()> serving, const base::Clock& clock)
      : facts_(std::move(facts)), serving_(std::move(serving)), clock_(clock) {}

  // `word` with what follows it (stmk's mask). Appends the answer, after which the connection closes.
  void run(std::string_view word, std::string& out);

  const ServerFacts& facts() const { return facts_; }

 private:
  struct Row {
    std::string_view word;
    void (FourLetterWords::*run)(std::string& out);
    bool needs_core = true;
  };
  static std::span<const Row> table();
  friend bool is_four_letter_word(std::string_view word);

  bool is_enabled(std::string_view word) const;

  void conf(std::string& out);
  void cons(std::string& out);
  void crst(std::string& out);
  void dirs(std::string& out);
  void dump(std::string& out);
  void envi(std::string& out);
  void gtmk(std::string& out);
  void hash(std::string& out);
  void isro(std::string& out);
  void mntr(std::string& out);
  void ruok(std::string& out);
  void srst(std::string& out);
  void srvr(std::string& out);
  void stat(std::string& out);
  void stmk(std::string& out);
  void wchc(std::string& out);
  void wchp(std::string& out);
  void wchs(std::string& out);

  void put_sessions(const session::SessionTracker& sessions, std::string& out) const;
  void put_global_sessions(std::string& out) const;
  void put_version(std::string& out) const;
  void put_server(std::string& out) const;
  void put_link(const pipeline::Link& link, bool brief, std::string& out) const;

  ServerFacts facts_;
  std::function<pipeline::Pipeline*()> serving_;
  pipeline::Pipeline* core_ = nullptr;  // of the word being run
  const base::Clock& clock_;
  std::int64_t trace_mask_ = 306;  // Apache's default: errors, warnings and session events
  std::string_view argument_;      // of the word being run
};

}  // namespace tandem::coord::shell
