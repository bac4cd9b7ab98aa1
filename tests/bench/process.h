// What a server process costs, read from /proc/PID/stat and status (proc(5)), and this program's own CPU
// time. CPU in seconds since the process started; memory in KiB.
#pragma once

#include <string>

namespace tandem::bench {

struct ProcessSample {
  double cpu_s = 0;
  long rss_kib = 0;
  long rss_peak_kib = 0;
};

ProcessSample sample_process(const std::string& pid);
double own_cpu_s();
double thread_cpu_s();  // of the calling thread

}  // namespace tandem::bench
