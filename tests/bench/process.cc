#include "tests/bench/process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>

namespace tandem::bench {

ProcessSample sample_process(const std::string& pid) {
  ProcessSample sample;
  std::ifstream stat("/proc/" + pid + "/stat");
  std::string line;
  std::getline(stat, line);
  if (const std::size_t close = line.rfind(')'); close != std::string::npos) {
    std::istringstream fields(line.substr(close + 2));
    std::string skipped;
    for (int i = 0; i < 11; ++i) fields >> skipped;  // state to cmajflt
    unsigned long user = 0, system = 0;
    fields >> user >> system;
    sample.cpu_s = static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
  }
  std::ifstream status("/proc/" + pid + "/status");
  while (std::getline(status, line)) {
    std::sscanf(line.c_str(), "VmRSS: %ld", &sample.rss_kib);
    std::sscanf(line.c_str(), "VmHWM: %ld", &sample.rss_peak_kib);
  }
  return sample;
}

namespace {

double cpu_s(int who) {
  rusage usage{};
  getrusage(who, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

double own_cpu_s() { return cpu_s(RUSAGE_SELF); }

double thread_cpu_s() { return cpu_s(RUSAGE_THREAD); }

}  // namespace tandem::bench
