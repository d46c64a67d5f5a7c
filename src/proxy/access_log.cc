#include "proxy/access_log.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <limits>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/rfc3339.h"

namespace holdfast::proxy {
namespace {

// ---- lines

void append_number(std::string& out, std::string_view key, std::uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(",\"").append(key).append("\":").append(digits, end);
}

void append_text(std::string& out, std::string_view key, std::string_view text) {
  if (text.empty()) return;
  out.append(",\"").append(key).append("\":\"");
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) {
      // Fields may carry any byte; as Latin-1 each is one code point, and the line stays valid whatever a client sent.
      constexpr std::string_view kHex = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(c);
      out.append("\\u00").append(1, kHex[byte >> 4]).append(1, kHex[byte & 15]);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

// ---- records in a ring: a fixed part, then the texts one after the other

constexpr std::size_t kTexts = 9;

struct Fixed {
  std::int64_t wall_us;
  std::uint64_t request_bytes;
  std::uint64_t response_bytes;
  std::uint32_t duration_us;
  std::uint32_t upstream_us;
  std::uint16_t status;
  std::uint16_t sizes[kTexts];
  std::uint8_t attempts;
};

std::array<const std::string_view*, kTexts> texts_of(const AccessRecord& record) {
  return {&record.client,  &record.method,   &record.host,   &record.path,      &record.listener,
          &record.service, &record.endpoint, &record.reason, &record.request_id};
}

}  // namespace

void append_json(std::string& out, const AccessRecord& record) {
  out.append("{\"time\":\"");
  append_rfc3339(out, record.wall_us);
  out.push_back('"');
  append_text(out, "client", record.client);
  append_text(out, "method", record.method);
  append_text(out, "host", record.host);
  append_text(out, "path", record.path);
  append_number(out, "status", record.status);
  append_number(out, "duration_us", record.duration_us);
  append_number(out, "upstream_us", record.upstream_us);
  append_number(out, "request_bytes", record.request_bytes);
  append_number(out, "response_bytes", record.response_bytes);
  append_number(out, "attempts", record.attempts);
  append_text(out, "listener", record.listener);
  append_text(out, "service", record.service);
  append_text(out, "endpoint", record.endpoint);
  append_text(out, "reason", record.reason);
  append_text(out, "request_id", record.request_id);
  out.append("}\n");
}

void AccessRing::copy_in(std::size_t& at, const void* from, std::size_t size) {
  if (size == 0) return;  // an empty text may be nowhere, and memcpy wants to be somewhere even then
  const std::size_t offset = at % kBytes;
  const std::size_t first = std::min(size, kBytes - offset);
  std::memcpy(bytes_.get() + offset, from, first);
  std::memcpy(bytes_.get(), static_cast<const char*>(from) + first, size - first);
  at += size;
}

void AccessRing::copy_out(std::size_t& at, void* to, std::size_t size) const {
  const std::size_t offset = at % kBytes;
  const std::size_t first = std::min(size, kBytes - offset);
  std::memcpy(to, bytes_.get() + offset, first);
  std::memcpy(static_cast<char*>(to) + first, bytes_.get(), size - first);
  at += size;
}

void AccessRing::push(const AccessRecord& record) {
  Fixed fixed{record.wall_us,
              record.request_bytes,
              record.response_bytes,
              record.duration_us,
              record.upstream_us,
              record.status,
              {},
              record.attempts};
  const auto texts = texts_of(record);
  std::size_t size = sizeof fixed;
  for (std::size_t i = 0; i < kTexts; ++i) {
    fixed.sizes[i] = static_cast<std::uint16_t>(std::min(texts[i]->size(), AccessRecord::kTextBytesMax));
    size += fixed.sizes[i];
  }
  std::size_t at = written_.load(std::memory_order_relaxed);
  if (at + size - read_.load(std::memory_order_acquire) > kBytes) {
    dropped.add();
    return;
  }
  copy_in(at, &fixed, sizeof fixed);
  for (std::size_t i = 0; i < kTexts; ++i) copy_in(at, texts[i]->data(), fixed.sizes[i]);
  written_.store(at, std::memory_order_release);
}

std::size_t AccessRing::drain(std::string& out) {
  std::size_t at = read_.load(std::memory_order_relaxed);
  const std::size_t end = written_.load(std::memory_order_acquire);
  std::size_t records = 0;
  std::array<std::array<char, AccessRecord::kTextBytesMax>, kTexts> storage;
  for (; at != end; ++records) {
    Fixed fixed{};
    copy_out(at, &fixed, sizeof fixed);
    std::array<std::string_view, kTexts> texts;
    for (std::size_t i = 0; i < kTexts; ++i) {
      copy_out(at, storage[i].data(), fixed.sizes[i]);
      texts[i] = {storage[i].data(), fixed.sizes[i]};
    }
    append_json(out, AccessRecord{.wall_us = fixed.wall_us,
                                  .duration_us = fixed.duration_us,
                                  .upstream_us = fixed.upstream_us,
                                  .request_bytes = fixed.request_bytes,
                                  .response_bytes = fixed.response_bytes,
                                  .status = fixed.status,
                                  .attempts = fixed.attempts,
                                  .client = texts[0],
                                  .method = texts[1],
                                  .host = texts[2],
                                  .path = texts[3],
                                  .listener = texts[4],
                                  .service = texts[5],
                                  .endpoint = texts[6],
                                  .reason = texts[7],
                                  .request_id = texts[8]});
    read_.store(at, std::memory_order_release);
  }
  return records;
}

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
  thread_.run_and_wait([this] { tasks_.add(write_now_and_then()); });
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
  while (!stop_.requested()) {
    co_await io::sleep_until(loop, loop.now() + kPeriod, stop_);
    write_out(kPeriod);
  }
}

// Lines that could not be written stay, and the rings behind them fill: a line is lost whole or not at all (but for the
// one that the end of the process cuts).
void AccessLog::write_out(Duration patience) {
  const Deadline deadline = io::read_clock() + patience;
  if (!write_pending(deadline)) return;
  lines_.clear();
  written_ = 0;
  for (const auto& ring : rings_) ring->drain(lines_);
  write_pending(deadline);
}

bool AccessLog::write_pending(Deadline deadline) {
  while (written_ < lines_.size()) {
    const std::string_view left = std::string_view(lines_).substr(written_);
    if (!writable_until(fd_.get(), deadline)) return false;
    const ssize_t wrote = ::write(fd_.get(), left.data(), std::min(left.size(), piece_bytes_));
    if (wrote < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (wrote <= 0) return false;  // nobody reads or the disk is full: perhaps later
    written_ += static_cast<std::size_t>(wrote);
  }
  return true;
}

}  // namespace holdfast::proxy
