#include "fs/posix_disk.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/checkpoint.h"

using namespace tandem;

namespace {

template <class R>
bool ok(const R& result) {
  return result.has_value();
}

struct Fixture {
  Fixture() {
    std::string pattern = "/tmp/tandem-fs-XXXXXX";
    root = ::mkdtemp(pattern.data());
  }
  ~Fixture() { REQUIRE(ok(fs::remove_tree(disk, root))); }

  std::unique_ptr<fs::File> make(const std::string& name) {
    auto file = disk.open(fs::join(root, name), fs::OpenMode::create);
    REQUIRE(ok(file));
    return std::move(*file);
  }

  fs::PosixDisk disk;
  std::string root;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "appended bytes, gathered or not, are read back in order") {
  auto file = make("log");
  REQUIRE(ok(file->append("abc")));
  const std::vector<std::string_view> pieces(100, "de");
  REQUIRE(ok(file->append(pieces)));
  CHECK(file->append_position() == 203);
  std::string out(300, '\0');
  CHECK(*file->pread(0, out) == 203);
  CHECK(out.substr(0, 7) == "abcdede");
  REQUIRE(ok(file->datasync()));
  file.reset();
  CHECK(fs::read_file(disk, fs::join(root, "log"))->size() == 203);
  CHECK(make("log")->append_position() == 203);
}

TEST_CASE_FIXTURE(Fixture, "a preallocated file is zeroed and appends go where the data ends") {
  auto file = make("log");
  REQUIRE(ok(file->append("x")));
  REQUIRE(ok(file->preallocate_zeroed(1, 100'000)));
  CHECK(*file->size() == 100'001);
  REQUIRE(ok(file->append("y")));
  CHECK(fs::read_file(disk, file->path())->substr(0, 3) == std::string_view("xy\0", 3));
  REQUIRE(ok(file->truncate(1)));
  CHECK(file->append_position() == 1);
}

TEST_CASE_FIXTURE(Fixture, "blocks set aside past the end change no size and go with a truncation") {
  const auto file = make("log");
  CHECK(ok(file->append("abc")));
  const auto blocks = [&] {
    struct stat info {};
    REQUIRE(::fstat(file->fd(), &info) == 0);
    return info.st_blocks;
  };
  file->reserve(3, 1 << 20);
  CHECK(*file->size() == 3);
  CHECK(ok(file->append("def")));
  CHECK(ok(file->truncate(6)));
  CHECK(blocks() <= 8);
  CHECK(*fs::read_file(disk, fs::join(root, "log")) == "abcdef");
}

TEST_CASE_FIXTURE(Fixture, "a checkpoint replaces the file and leaves no temporary file") {
  const std::string path = fs::join(root, "epoch");
  REQUIRE(ok(fs::write_checkpoint(disk, path, "a long first version")));
  REQUIRE(ok(fs::write_checkpoint(disk, path, "2")));
  CHECK(*fs::read_file(disk, path) == "2");
  CHECK(disk.list(root)->size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "errors name the call, the file and the reason") {
  const auto missing = disk.open(fs::join(root, "none"), fs::OpenMode::read);
  REQUIRE(!ok(missing));
  CHECK(missing.error().code == base::Errc::not_found);
  CHECK(missing.error().context == "open of " + root + "/none failed: No such file or directory");
  make("there");
  CHECK(disk.open(fs::join(root, "there"), fs::OpenMode::create_new).error().code ==
        base::Errc::already_exists);
  auto full = disk.open("/dev/full", fs::OpenMode::write);
  REQUIRE(ok(full));
  CHECK((*full)->append("x").error().code == base::Errc::no_space);
}

TEST_CASE_FIXTURE(Fixture, "a lock keeps another process out until it is released") {
  const std::string path = fs::join(root, ".lock");
  auto held = disk.lock(path);
  REQUIRE(ok(held));
  const auto other_gets_it = [&] {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(disk.lock(path) ? 0 : 1);
    int status = 0;
    ::waitpid(child, &status, 0);
    return WEXITSTATUS(status) == 0;
  };
  CHECK(!other_gets_it());
  held->reset();
  CHECK(other_gets_it());
}

TEST_CASE_FIXTURE(Fixture, "directories are made with parents, listed in order and removed as a tree") {
  REQUIRE(ok(disk.make_dirs(fs::join(root, "a/b/c"))));
  REQUIRE(ok(disk.make_dirs(fs::join(root, "a/b/c"))));
  make("a/z");
  make("a/y");
  REQUIRE(ok(disk.sync_dir(fs::join(root, "a"))));
  const auto entries = disk.list(fs::join(root, "a"));
  REQUIRE(entries->size() == 3);
  CHECK((*entries)[0].is_directory);
  CHECK((*entries)[2].name == "z");
  REQUIRE(ok(fs::remove_tree(disk, fs::join(root, "a"))));
  CHECK(!fs::exists(disk, fs::join(root, "a")));
  CHECK(fs::parent("/a/b") == "/a");
  CHECK(fs::parent("/a") == "/");
  CHECK(fs::parent("a") == ".");
}
