#include "proxy/access_log.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <limits>
#include <poll.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

namespace holdfast::proxy {
namespace {

// What is shared with other processes (stdout) must not be made non-blocking: that would change it for them, too. So we
// ask before each write, and write no more than a pipe that says yes takes without waiting (pipe(7)).
std::size_t largest_write(int fd) {
  struct stat what{};
  const bool is_file = ::fstat(fd, &what) == 0 && S_ISREG(what.st_mode);
  return is_file ? std::numeric_limits<std::size_t>::max() : PIPE_BUF;
}

bool writable_until(int fd, Deadline deadline) {
  const Duration left = std::max(deadline - io::read_clock(), Duration::zero());
  pollfd look{.fd = fd, .events = POLLOUT, .revents = 0};
  return ::poll(&look, 1, static_cast<int>(left / 1ms)) == 1;
}

Result<io::UniqueFd> open_log(const std::string& path) {
  io::UniqueFd fd;
  if (path == "stdout") {
    fd = io::UniqueFd(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0));
  } else if (path == "stderr") {
    fd = io::UniqueFd(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0));
  } else {
    fd = io::UniqueFd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0640));
  }
  if (!fd) {
    return fail(code_from_errno(errno), Side::local, "open the access log " + path + ": " + std::strerror(errno));
  }
  return fd;
}

}  // namespace

Result<std::unique_ptr<AccessLog>> AccessLog::open(const config::AccessLog& config) {
  Result<io::UniqueFd> fd = open_log(config.path);
  if (!fd) return pass(fd, "proxy.access_log");
  return std::make_unique<AccessLog>(config.path, std::move(*fd));
}

AccessLog::AccessLog(std::string path, io::UniqueFd fd)
    : path_(std::move(path)),
      thread_("access-log"),
      fd_(std::move(fd)),
      piece_bytes_(largest_write(fd_.get())),
      tasks_(thread_.loop()) {
  thread_.run_and_wait([this] {
    // A log that wakes up takes no core from a loop at work: it waits until the loop does. Where this is refused, it
    // does.
    const sched_param plain{};
    ::sched_setscheduler(0, SCHED_BATCH, &plain);
    tasks_.add(write_now_and_then());
  });
}

AccessLog::~AccessLog() {
  thread_.run_and_wait([this] { stop_.request(); });
  for (bool running = true; running;) thread_.run_and_wait([&] { running = tasks_.size() != 0; });
  thread_.run_and_wait([this] { write_out(kLastWords); });
}

AccessRing* AccessLog::add_ring() {
  AccessRing* ring = nullptr;
  thread_.run_and_wait([this, &ring] { ring = rings_.emplace_back(std::make_unique<AccessRing>()).get(); });
  return ring;
}

void AccessLog::reopen() {
  thread_.loop().post([this] {
    Result<io::UniqueFd> fd = open_log(path_);
    if (!fd) return;  // the old file goes on: better a log in the wrong place than none
    fd_ = std::move(*fd);
    piece_bytes_ = largest_write(fd_.get());
  });
}

io::Task<> AccessLog::write_now_and_then() {
  io::Loop& loop = thread_.loop();
  Duration pause = kPauseMax;
  while (!stop_.requested()) {
    co_await io::sleep_until(loop, loop.now() + pause, stop_);
    const std::size_t bytes = write_out(kPatience);
    if (bytes > kRoundBytes) pause = std::max(pause / 2, kPauseMin);
    if (bytes < kRoundBytes / 4) pause = std::min(pause * 2, kPauseMax);
  }
}

// Lines that could not be written stay, and the rings behind them fill: a line is lost whole or not at all (but for the
// one that the end of the process cuts). Returns how many bytes of lines it made.
std::size_t AccessLog::write_out(Duration patience) {
  const Deadline deadline = io::read_clock() + patience;
  std::size_t bytes = 0;
  bool more = true;
  while (write_pending(deadline) && more) {
    lines_.clear();
    written_ = 0;
    // The lines may be full before the last ring has been asked, hence another one is first each time.
    for (std::size_t i = 0; i < rings_.size(); ++i) rings_[(first_ring_ + i) % rings_.size()]->drain(lines_);
    ++first_ring_;
    bytes += lines_.text().size();
    more = !lines_.has_room() && io::read_clock() < deadline;
  }
  return bytes;
}

bool AccessLog::write_pending(Deadline deadline) {
  const std::string_view lines = lines_.text();
  while (written_ < lines.size()) {
    const std::string_view left = lines.substr(written_);
    if (!writable_until(fd_.get(), deadline)) return false;
    const ssize_t wrote = ::write(fd_.get(), left.data(), std::min(left.size(), piece_bytes_));
    if (wrote < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (wrote <= 0) return false;  // nobody reads or the disk is full: perhaps later
    written_ += static_cast<std::size_t>(wrote);
  }
  return true;
}

}  // namespace holdfast::proxy
