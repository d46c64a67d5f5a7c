#include "load/processor_time.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <unistd.h>

namespace holdfast::bench {
namespace {

namespace fs = std::filesystem;

void add_scheduled(const fs::path& process, ProcessorTime& time) {
  std::error_code gone;
  for (const fs::directory_entry& thread : fs::directory_iterator(process / "task", gone)) {
    Duration::rep run = 0;
    Duration::rep waited = 0;
    std::ifstream(thread.path() / "schedstat") >> run >> waited;
    time.run += Duration(run);
    time.waited += Duration(waited);
  }
}

// Fields 14 and 15 of stat; the second one, the name in parentheses, may hold spaces.
void add_ticks(const fs::path& process, ProcessorTime& time) {
  constexpr int kUserField = 14;
  std::ifstream file(process / "stat");
  std::string text;
  std::getline(file, text);
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return;
  std::istringstream fields(text.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < kUserField; ++field) fields >> skipped;
  Duration::rep user = 0;
  Duration::rep system = 0;
  fields >> user >> system;
  const Duration tick = Duration(1s) / ::sysconf(_SC_CLK_TCK);
  time.user += user * tick;
  time.system += system * tick;
}

}  // namespace

ProcessorTime processor_time_of(const std::vector<int>& processes) {
  ProcessorTime time;
  for (const int process : processes) {
    const fs::path folder = fs::path("/proc") / std::to_string(process);
    add_scheduled(folder, time);
    add_ticks(folder, time);
  }
  return time;
}

}  // namespace holdfast::bench
