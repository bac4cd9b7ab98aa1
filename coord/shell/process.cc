#include "coord/shell/process.h"

#include <dirent.h>
#include <sys/resource.h>

namespace tandem::coord::shell {

DescriptorCount descriptor_count() {
  DescriptorCount count;
  if (DIR* directory = ::opendir("/proc/self/fd")) {
    while (const dirent* entry = ::readdir(directory)) count.open += entry->d_name[0] == '.' ? 0 : 1;
    ::closedir(directory);
    --count.open;  // the directory's own
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) count.limit = limit.rlim_cur;
  return count;
}

}  // namespace tandem::coord::shell
