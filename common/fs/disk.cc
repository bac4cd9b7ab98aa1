#include "fs/disk.h"

namespace tandem::fs {

Result<std::string> read_file(Disk& disk, const std::string& path, std::uint64_t max_size) {
  auto file = disk.open(path, OpenMode::read);
  if (!file) return file.error();
  const auto size = (*file)->size();
  if (!size) return size.error();
  if (*size > max_size) {
    return base::make_error(base::Errc::limit_exceeded, "{} has {} bytes, more than {}", path, *size,
                            max_size);
  }
  std::string bytes(*size, '\0');
  const auto count = (*file)->pread(0, bytes);
  if (!count) return count.error();
  bytes.resize(*count);
  return bytes;
}

bool exists(Disk& disk, const std::string& path) { return disk.info(path).has_value(); }

Status remove_tree(Disk& disk, const std::string& path) {
  const auto entries = disk.list(path);
  if (!entries) {
    if (entries.error().code == base::Errc::not_found) return {};
    return entries.error();
  }
  for (const DirEntry& entry : *entries) {
    const std::string child = join(path, entry.name);
    if (auto status = entry.is_directory ? remove_tree(disk, child) : disk.unlink(child); !status)
      return status;
  }
  return disk.remove_dir(path);
}

std::string join(std::string_view directory, std::string_view name) {
  std::string path(directory);
  if (!path.empty() && path.back() != '/') path.push_back('/');
  path.append(name);
  return path;
}

std::string parent(std::string_view path) {
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(path.substr(0, slash == 0 ? 1 : slash));
}

std::string base_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

}  // namespace tandem::fs
