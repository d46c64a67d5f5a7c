#include "store/etcd_for_tests.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "io/loop.h"
#include "io/socket_address.h"
#include "io/unique_fd.h"

namespace holdfast::store {
namespace {

constexpr const char* kProgram = "/usr/bin/etcd";

io::SocketAddress at(const std::string& host, std::uint16_t port) {
  Result<io::SocketAddress> address = io::SocketAddress::from_ip(host, port);
  check(address.has_value(), "a host of a test is an IP address");
  return *address;
}

/// Ports that were free a moment ago: `held` keeps them from being given twice.
std::uint16_t free_port(std::vector<io::UniqueFd>& held) {
  io::UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const io::SocketAddress any = at("127.0.0.1", 0);
  check(::bind(socket.get(), any.raw(), any.size()) == 0, "a free port");
  const std::uint16_t port = io::local_address(socket.get()).port();
  held.push_back(std::move(socket));
  return port;
}

std::string url_of(const std::string& host, std::uint16_t port) {
  return "http://" + host + ":" + std::to_string(port);
}

/// The digits after `"name":"`; empty if it is not there.
std::string number_in(const std::string& json, const std::string& name) {
  const std::size_t at = json.find('"' + name + "\":\"");
  if (at == std::string::npos) return {};
  const std::size_t begin = at + name.size() + 4;
  return json.substr(begin, json.find('"', begin) - begin);
}

}  // namespace

bool EtcdForTests::installed() { return ::access(kProgram, X_OK) == 0; }

EtcdForTests::EtcdForTests(std::size_t members, std::vector<std::string> flags)
    : EtcdForTests(std::vector<Place>(members), std::move(flags)) {}

EtcdForTests::EtcdForTests(const std::vector<Place>& places, std::vector<std::string> flags)
    : flags_(std::move(flags)) {
  folder_ = std::filesystem::temp_directory_path() / "holdfast-etcd-XXXXXX";
  check(::mkdtemp(folder_.data()) != nullptr, "a temporary folder");
  std::vector<io::UniqueFd> held;
  for (const Place& place : places) {
    Member& member = members_.emplace_back();
    member.name = "m" + std::to_string(members_.size() - 1);
    member.place = place;
    member.client_port = free_port(held);
    member.peer_port = free_port(held);
    member.tls_port = free_port(held);
  }
  held.clear();
  for (Member& member : members_) start(member);
}

EtcdForTests::~EtcdForTests() {
  for (Member& member : members_) end(member);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string EtcdForTests::client_url(const Member& member) const {
  return url_of(member.place.client_host, member.client_port);
}
std::string EtcdForTests::peer_url(const Member& member) const {
  return url_of(member.place.peer_host, member.peer_port);
}

std::vector<std::string> EtcdForTests::command(const Member& member) const {
  std::string cluster;
  for (const Member& each : members_) {
    cluster += (cluster.empty() ? "" : ",") + each.name + "=" + peer_url(each);
  }
  const bool tls = std::ranges::any_of(flags_, [](const std::string& flag) { return flag.starts_with("--cert-file"); });
  const std::string also = tls ? ",https://127.0.0.1:" + std::to_string(member.tls_port) : "";
  std::vector<std::string> words{kProgram,
                                 "--name=" + member.name,
                                 "--data-dir=" + folder_ + "/" + member.name,
                                 "--listen-client-urls=" + client_url(member) + also,
                                 "--advertise-client-urls=" + client_url(member),
                                 "--listen-peer-urls=" + peer_url(member),
                                 "--initial-advertise-peer-urls=" + peer_url(member),
                                 "--initial-cluster=" + cluster,
                                 "--initial-cluster-token=" + folder_,
                                 "--unsafe-no-fsync",
                                 "--heartbeat-interval=100",
                                 "--election-timeout=1000",
                                 "--pre-vote=true",
                                 "--experimental-watch-progress-notify-interval=1s",
                                 "--logger=zap",
                                 "--log-outputs=stderr"};
  words.insert(words.end(), flags_.begin(), flags_.end());
  words.insert(words.begin(), member.place.on.begin(), member.place.on.end());
  return words;
}

void EtcdForTests::start(Member& member) {
  std::vector<std::string> words = command(member);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const std::string log = folder_ + "/" + member.name + ".log";
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  check(child >= 0, "a process for etcd");
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    ::execv(arguments.front(), arguments.data());
    ::_exit(127);
  }
  member.process = child;
  member.frozen = false;
}

void EtcdForTests::end(Member& member) {
  if (member.process < 0) return;
  ::kill(member.process, SIGKILL);
  ::waitpid(member.process, nullptr, 0);
  member.process = -1;
}

bool EtcdForTests::wait_until_healthy(Duration at_most) {
  const Instant until = io::read_clock() + at_most;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (members_[i].process < 0 || members_[i].frozen) continue;
    while (get(i, "/health").find("\"true\"") == std::string::npos) {
      if (io::read_clock() > until) return false;
      ::poll(nullptr, 0, 20);
    }
  }
  return true;
}

std::vector<std::string> EtcdForTests::urls() const {
  std::vector<std::string> all;
  for (const Member& member : members_) all.push_back(client_url(member));
  return all;
}

std::string EtcdForTests::url(std::size_t member) const { return client_url(members_[member]); }

std::string EtcdForTests::tls_url(std::size_t member) const {
  return "https://127.0.0.1:" + std::to_string(members_[member].tls_port);
}

std::optional<std::size_t> EtcdForTests::leader() const {
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (members_[i].process < 0 || members_[i].frozen) continue;
    const std::string leader = number_in(post(i, "/v3/maintenance/status", "{}"), "leader");
    for (std::size_t other = 0; other < members_.size() && !leader.empty(); ++other) {
      if (members_[other].process < 0 || members_[other].frozen) continue;
      if (number_in(post(other, "/v3/maintenance/status", "{}"), "member_id") == leader) return other;
    }
  }
  return std::nullopt;
}

void EtcdForTests::kill(std::size_t member) { end(members_[member]); }

void EtcdForTests::restart(std::size_t member) {
  check(members_[member].process < 0, "a member that was killed");
  start(members_[member]);
}

void EtcdForTests::freeze(std::size_t member) {
  ::kill(members_[member].process, SIGSTOP);
  members_[member].frozen = true;
}

void EtcdForTests::thaw(std::size_t member) {
  ::kill(members_[member].process, SIGCONT);
  members_[member].frozen = false;
}

void EtcdForTests::forget(std::size_t member) {
  end(members_[member]);
  std::filesystem::remove_all(folder_ + "/" + members_[member].name);
}

std::string EtcdForTests::post(std::size_t member, const std::string& path, const std::string& json) const {
  return ask(member, "POST " + path + " HTTP/1.1\r\nHost: etcd\r\nAccept: application/json\r\nConnection: close\r\n" +
                         "Content-Length: " + std::to_string(json.size()) + "\r\n\r\n" + json);
}

std::string EtcdForTests::get(std::size_t member, const std::string& path) const {
  return ask(member, "GET " + path + " HTTP/1.1\r\nHost: etcd\r\nConnection: close\r\n\r\n");
}

std::string EtcdForTests::ask(std::size_t member, const std::string& request) const {
  const io::UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const io::SocketAddress to = at(members_[member].place.client_host, members_[member].client_port);
  if (::connect(socket.get(), to.raw(), to.size()) != 0) return {};
  const Instant until = io::read_clock() + 2s;  // a watch has no end of its own
  const timeval patience{.tv_sec = 2, .tv_usec = 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return {};
  std::string answer;
  std::string piece(4096, '\0');
  while (io::read_clock() < until) {
    const ssize_t got = ::recv(socket.get(), piece.data(), piece.size(), 0);
    if (got <= 0) break;
    answer.append(piece, 0, static_cast<std::size_t>(got));
  }
  return answer;
}

}  // namespace holdfast::store
