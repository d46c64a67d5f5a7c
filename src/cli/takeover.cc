#include "cli/takeover.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "cli/drain.h"
#include "io/stream.h"

namespace holdfast::cli {
namespace {

constexpr Duration kPatienceWithPredecessor = 5s;
/// From its sockets to its first word: it binds, starts threads, and says so.
constexpr Duration kPatienceWithSuccessor = 60s;

std::string runtime_folder() {
  for (const char* name : {"RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && value[0] == '/') return std::string(value) + "/holdfast";
  }
  if (::geteuid() == 0) return "/run/holdfast";
  return "/tmp/holdfast-" + std::to_string(::geteuid());
}

// Whoever could put a socket there could take our connections.
Result<> make_own_folder(const std::string& folder) {
  if (::mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    return fail(code_from_errno(errno), Side::local, "make " + folder + ": " + std::strerror(errno));
  }
  struct stat seen{};
  const bool ours = ::lstat(folder.c_str(), &seen) == 0 && S_ISDIR(seen.st_mode) && seen.st_uid == ::geteuid() &&
                    (seen.st_mode & (S_IWGRP | S_IWOTH)) == 0;
  if (!ours) return fail(Code::denied, Side::local, folder + " is not a folder that only we may write to");
  return {};
}

io::Task<bool> hand_over(Ref<Control> control, io::UniqueFd fd) {
  std::vector<io::NamedSocket> sockets = control->proxy.listening_sockets();
  if (control->admin != nullptr) sockets.push_back(control->admin->listening_socket());
  const Result<> sent = io::send_sockets(fd, sockets);
  if (!sent) {
    say("takeover refused: " + sent.error().what);
    co_return false;
  }
  io::Stream stream(control->loop, std::move(fd));
  const io::Stop::Hook end(control->stop, [&stream] { stream.cancel(); });
  std::array<char, 1> word{};
  const Deadline deadline = control->loop.now() + kPatienceWithSuccessor;
  const io::Moved got = co_await stream.read_some(word, deadline);
  co_return got.ok() && got.bytes == 1 && word[0] == io::kTaken;
}

}  // namespace

Result<std::string> takeover_path(const std::string& file) {
  const std::string folder = runtime_folder();
  Result<> made = make_own_folder(folder);
  if (!made) return pass(made, "takeover");
  std::error_code ignored;
  const std::filesystem::path real = std::filesystem::weakly_canonical(file, ignored);
  std::array<char, 17> name{};
  std::snprintf(name.data(), name.size(), "%016llx", static_cast<unsigned long long>(hash64(real.string())));
  return folder + "/proxy-" + name.data() + ".sock";
}

Result<std::optional<io::Predecessor>> find_predecessor(const std::string& path) {
  return io::ask_predecessor(path, kPatienceWithPredecessor);
}

void thank(const io::Predecessor& predecessor) {
  // If it is gone already, its connections are too.
  (void)!::write(predecessor.connection.get(), &io::kTaken, 1);
}

io::Task<> wait_for_successor(Ref<Control> control, io::Rendezvous here) {
  constexpr Duration kBreath = 100ms;
  io::Acceptor acceptor(control->loop, std::move(here.socket));
  const io::Stop::Hook end(control->stop, [&acceptor] { acceptor.cancel(); });
  while (!control->stop.requested()) {
    io::Accepted accepted = co_await acceptor.accept();
    if (accepted.error == ECANCELED) break;
    if (accepted.error != 0) {
      co_await io::sleep_until(control->loop, control->loop.now() + kBreath, control->stop);
      continue;
    }
    say("handing over");
    const bool taken = co_await hand_over(control, std::move(accepted.fd));
    if (control->stop.requested()) break;
    if (taken) {
      begin_drain(*control, Departure::taken_over);
    } else {
      say("the successor does not serve: going on");
    }
  }
  here.leave();
}

}  // namespace holdfast::cli
