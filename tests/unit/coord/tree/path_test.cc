#include "coord/tree/path.h"

#include <doctest/doctest.h>

#include <string>

namespace tandem::coord::tree {

TEST_CASE("valid paths are those of Apache's PathUtils") {
  struct Row {
    std::string path;
    bool valid;
  };
  const Row rows[] = {
      {"/", true},
      {"/a", true},
      {"/a/b.c/d..e/...", true},
      {"/with space", true},
      {"/\xc3\xa4\xe2\x82\xac", true},  // U+00E4, U+20AC
      {"", false},
      {"a", false},
      {"/a/", false},
      {"//", false},
      {"/a//b", false},
      {"/.", false},
      {"/..", false},
      {"/a/./b", false},
      {"/a/../b", false},
      {"/a/b/..", false},
      {std::string("/a\0b", 4), false},
      {"/a\x01", false},
      {"/a\x7f", false},
      {"/a\xc2\x9f", false},          // U+009F
      {"/a\xc2\xa0", true},           // U+00A0
      {"/a\xed\xa0\x80", false},      // U+D800
      {"/a\xef\xa3\xbf", false},      // U+F8FF
      {"/a\xef\xa4\x80", true},       // U+F900
      {"/a\xef\xbf\xaf", true},       // U+FFEF
      {"/a\xef\xbf\xb0", false},      // U+FFF0
      {"/a\xf0\x9f\x98\x80", false},  // outside the BMP: surrogates in Java
      {"/a\xff", false},              // malformed: U+FFFD in Java
      {"/a\xe2\x82", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.path);
    CHECK(valid_path(row.path) == row.valid);
  }
}

TEST_CASE("a path splits into parent and name") {
  CHECK(split_path("/a").parent.empty());
  CHECK(split_path("/a").name == "a");
  CHECK(split_path("/a/b").parent == "/a");
  CHECK(split_path("/a/b").name == "b");
}

}  // namespace tandem::coord::tree
