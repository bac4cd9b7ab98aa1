#include "fs/sequential_writer.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>

#include <string>

#include "fs/posix_disk.h"

using namespace tandem;

namespace {

std::string pattern(std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>('a' + (i * 7 + i / 4096) % 26);
  return out;
}

// The file as it was left, written in pieces of `piece` bytes.
std::string written(fs::Disk& disk, const std::string& path, const std::string& text, std::size_t piece,
                    bool past_cache) {
  auto file = disk.open(path, fs::OpenMode::create_new);
  REQUIRE(file.has_value());
  fs::SequentialWriter writer(**file, past_cache);
  for (std::size_t at = 0; at < text.size(); at += piece)
    REQUIRE(writer.append(std::string_view(text).substr(at, piece)).has_value());
  CHECK(writer.size() == text.size());
  REQUIRE(writer.finish().has_value());
  CHECK((::fcntl((*file)->fd(), F_GETFL) & O_DIRECT) == 0);
  REQUIRE((*file)->sync().has_value());
  const auto back = fs::read_file(disk, path);
  REQUIRE(back.has_value());
  REQUIRE(disk.unlink(path).has_value());
  return *back;
}

void check_sizes(const std::string& under) {
  std::string root = under + "/tandem-sequential-XXXXXX";
  REQUIRE(::mkdtemp(root.data()) != nullptr);
  fs::PosixDisk disk;
  for (const std::size_t size : {0UL, 1UL, 4096UL, 128UL << 10, (128UL << 10) + 1, (1UL << 20) - 17}) {
    const std::string text = pattern(size);
    for (const bool past_cache : {true, false}) {
      CHECK(written(disk, root + "/file", text, 1000, past_cache) == text);
      CHECK(written(disk, root + "/file", text, 300'000, past_cache) == text);
    }
  }
  REQUIRE(fs::remove_tree(disk, root).has_value());
}

}  // namespace

TEST_CASE("a file written in sequence holds every byte, past the cache or through it") {
  check_sizes("/tmp");
}

// tmpfs takes O_DIRECT or refuses it, by the kernel's version: both must do.
TEST_CASE("a file system without a disk takes the same bytes") { check_sizes("/dev/shm"); }
