// zkTxnLogToolkit.sh: dump a transaction log, repair its checksums, cut it behind a transaction.
#include <sys/stat.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>

#include "base/checksum.h"
#include "bytes/reader.h"
#include "bytes/writer.h"
#include "coord/storage/files.h"
#include "coord/storage/txn_log.h"
#include "tools/shell/arguments.h"
#include "tools/storage/commands.h"
#include "tools/storage/txn_text.h"

namespace tandem::tools::storage {

namespace {

namespace records = coord::records;
using base::Errc;
using base::make_error;
using base::Status;

constexpr const char* kUsage =
    "usage: TxnLogToolkit [-dhrvc] <txn_log_file_name> (-z <zxid>)\n"
    " -c,--chop         Chop mode. Chop txn file to a zxid.\n"
    " -d,--dump         Dump mode. Dump all entries of the log file with printing the content of a nodepath "
    "(default)\n"
    " -h,--help         Print help message\n"
    " -r,--recover      Recovery mode. Re-calculate CRC for broken entries.\n"
    " -v,--verbose      Be verbose in recovery mode: print all entries, not just fixed ones.\n"
    " -y,--yes          Non-interactive mode: repair all CRC errors without asking\n"
    " -z,--zxid <arg>   Used with chop. Zxid to which to chop.\n";

constexpr shell::Option kOptions[] = {{"c"},       {"d"},       {"h"},    {"r"},         {"v"},
                                      {"y"},       {"z", true}, {"chop"}, {"dump"},      {"help"},
                                      {"recover"}, {"verbose"}, {"yes"},  {"zxid", true}};

struct Entry {
  std::uint32_t checksum = 0;
  std::string_view payload;
  bool sound() const { return base::adler32(payload) == checksum; }
};

// Walks the entries of a file that is in memory, whole or damaged.
class Walker {
 public:
  explicit Walker(std::string_view file) : reader_(file.substr(coord::storage::kFileHeaderSize)) {}

  // Nothing at the end; the end mark is checked by end_mark().
  std::optional<Entry> next() {
    const std::int64_t checksum = reader_.i64();
    const std::int32_t length = reader_.i32();
    if (!reader_.ok() || length <= 0) return std::nullopt;
    const std::string_view payload = reader_.bytes(static_cast<std::size_t>(length));
    if (!reader_.ok()) return std::nullopt;
    return Entry{static_cast<std::uint32_t>(checksum), payload};
  }
  bool end_mark() { return reader_.i8() == coord::storage::kEndOfRecord; }

 private:
  bytes::Reader reader_;
};

void append(std::string& out, std::uint32_t checksum, std::string_view payload) {
  bytes::Writer writer(out);
  writer.i64(checksum);
  writer.i32(static_cast<std::int32_t>(payload.size()));
  writer.bytes(payload);
  writer.i8(coord::storage::kEndOfRecord);
}

Status print_txn(std::string_view payload, const char* prefix) {
  const auto txn = records::decode_payload(payload);
  if (!txn) return txn.error();
  const std::string line = prefix + txn_line(*txn);
  std::fwrite(line.data(), 1, line.size(), stdout);
  return {};
}

Status save(const std::string& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.flush();
  if (!file) return make_error(Errc::io, "cannot write {}", path);
  return {};
}

bool exists(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0;
}

void print_heading(std::string_view file) {
  bytes::Reader reader(file);
  reader.i32();
  const std::int32_t version = reader.i32();
  std::printf("ZooKeeper Transactional Log File with dbid %lld txnlog format version %d\n",
              static_cast<long long>(reader.i64()), version);
}

enum class Answer { yes, no, abort };

Answer ask() {
  for (;;) {
    std::fputs("Would you like to fix it (Yes/No/Abort) ? ", stdout);
    std::fflush(stdout);
    std::string word;
    if (!(std::cin >> word)) return Answer::abort;
    if (word[0] == 'y' || word[0] == 'Y') return Answer::yes;
    if (word[0] == 'n' || word[0] == 'N') return Answer::no;
    if (word[0] == 'a' || word[0] == 'A') return Answer::abort;
  }
}

struct DumpOptions {
  bool recover = false;
  bool verbose = false;
  bool yes = false;
};

// A broken checksum: said, and in recovery mended when wanted. The error means that the work ends here.
Status mend(Entry& entry, const DumpOptions& options, int& fixed) {
  if (options.recover && options.yes) {
    if (auto status = print_txn(entry.payload, "CRC FIXED - "); !status) return status;
  } else {
    if (auto status = print_txn(entry.payload, "CRC ERROR - "); !status) return status;
    if (!options.recover) return {};
    const Answer answer = ask();
    if (answer == Answer::abort) return make_error(Errc::closed, "Recovery aborted.");
    if (answer == Answer::no) return {};
  }
  entry.checksum = base::adler32(entry.payload);
  ++fixed;
  return {};
}

Status dump(const std::string& path, std::string_view file, const DumpOptions& options) {
  const std::string target = path + ".fixed";
  if (options.recover && exists(target))
    return make_error(Errc::already_exists, "Recovery file {} already exists or not writable", target);
  print_heading(file);
  std::string mended(file.substr(0, coord::storage::kFileHeaderSize));
  Walker walker(file);
  int count = 0, fixed = 0;
  for (auto entry = walker.next(); entry; entry = walker.next(), ++count) {
    if (!entry->sound()) {
      if (auto status = mend(*entry, options, fixed); !status) return status;
    }
    if (!options.recover || options.verbose) {
      if (auto status = print_txn(entry->payload, ""); !status) return status;
    }
    if (!walker.end_mark()) return make_error(Errc::corrupt, "Last transaction was partial.");
    if (options.recover) append(mended, entry->checksum, entry->payload);
  }
  std::printf("EOF reached after %d txns.\n", count);
  if (!options.recover) return {};
  if (auto status = save(target, mended); !status) return status;
  std::printf("Recovery file %s has been written with %d fixed CRC error(s)\n", target.c_str(), fixed);
  return {};
}

void note_gap(std::int64_t previous, std::int64_t zxid) {
  if (previous == -1 || zxid == previous + 1) return;
  const bool same_epoch = previous >> 32 == zxid >> 32;
  if (!same_epoch && (zxid & 0xffffffff) == 1) return;
  std::printf("There is %s-epoch gap between %llx and %llx\n", same_epoch ? "intra" : "inter",
              static_cast<unsigned long long>(previous), static_cast<unsigned long long>(zxid));
}

// Copies the entries up to and with `zxid`. Like the original it ends with 0 whatever it finds.
Status chop(const std::string& path, std::string_view file, std::int64_t zxid) {
  print_heading(file);
  std::string kept(file.substr(0, coord::storage::kFileHeaderSize));
  Walker walker(file);
  int count = 0;
  bool has_zxid = false;
  std::int64_t previous = -1;
  for (auto entry = walker.next(); entry; entry = walker.next(), ++count) {
    if (!entry->sound()) return make_error(Errc::corrupt, "CRC doesn't match");
    const auto txn = records::decode_payload(entry->payload);
    if (!txn) return txn.error();
    if (!walker.end_mark()) return make_error(Errc::corrupt, "Last transaction was partial.");
    const std::int64_t current = txn->header.zxid.value;
    has_zxid |= current == zxid;
    note_gap(previous, current);
    previous = current;
    if (current > zxid) {
      if (count == 0 || !has_zxid) {
        std::printf("This log does not contain zxid %llx\n", static_cast<unsigned long long>(zxid));
        return make_error(Errc::not_found, "Failed to chop {}", path.substr(path.rfind('/') + 1));
      }
      std::printf("Chopping at %llx new log has %d records\n", static_cast<unsigned long long>(zxid), count);
      return save(fmt::format("{}.chopped{}", path, zxid), kept);
    }
    append(kept, entry->checksum, entry->payload);
  }
  std::printf("EOF reached after %d txns.\n", count);
  return make_error(Errc::not_found, "Failed to chop {}", path.substr(path.rfind('/') + 1));
}

int usage(int code) {
  std::fputs(kUsage, stdout);
  return code;
}

int run_dump(const std::string& path, std::string_view file, const DumpOptions& options) {
  const Status status = dump(path, file, options);
  if (status) return 0;
  std::fprintf(stderr, "%s\n", status.error().context.c_str());
  return status.error().code == Errc::closed ? 0 : 1;
}

int run_chop(const std::string& path, std::string_view file, const std::string& number) {
  const bool hex = number.starts_with("0x") || number.starts_with("0X");
  const auto zxid = shell::parse_integer(hex ? number.substr(2) : number, hex ? 16 : 10);
  if (!zxid) {
    std::fprintf(stderr, "'%s' is not a zxid\n", number.c_str());
    return 1;
  }
  if (const Status status = chop(path, file, *zxid); !status)
    std::printf("Got exception: %s\n", status.error().context.c_str());
  return 0;
}

}  // namespace

int txn_log_toolkit(const Invocation& invocation) {
  const auto parsed = shell::parse_arguments(invocation.args, {kOptions});
  if (!parsed) {
    const std::string& text = parsed.error().context;
    std::fprintf(stderr, "%s\n\n", text.substr(text.find(": ") + 2).c_str());
    return usage(1);
  }
  const auto has = [&](const char* short_name, const char* long_name) {
    return parsed->has(short_name) || parsed->has(long_name);
  };
  if (has("h", "help")) return usage(0);
  if (parsed->words.empty()) return usage(1);
  const std::string& path = parsed->words[0];
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream bytes;
  if (stream) bytes << stream.rdbuf();
  if (!stream) {
    std::fprintf(stderr, "File doesn't exist or not readable: %s\n", path.c_str());
    return 1;
  }
  const std::string file = bytes.str();
  if (file.size() < coord::storage::kFileHeaderSize ||
      bytes::Reader(file).i32() != coord::storage::kLogMagic) {
    std::fprintf(stderr, "Invalid magic number for %s\n", path.substr(path.rfind('/') + 1).c_str());
    return 2;
  }
  if (has("c", "chop") && has("z", "zxid"))
    return run_chop(path, file, parsed->has("z") ? parsed->value("z") : parsed->value("zxid"));
  return run_dump(path, file, {has("r", "recover"), has("v", "verbose"), has("y", "yes")});
}

}  // namespace tandem::tools::storage
