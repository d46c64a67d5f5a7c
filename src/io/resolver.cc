#include "io/resolver.h"

#include <algorithm>
#include <ares.h>
#include <array>
#include <cstring>
#include <sys/epoll.h>
#include <sys/time.h>

#include "base/check.h"
#include "io/descriptor.h"
#include "io/loop.h"

namespace holdfast::io {
namespace {

constexpr Duration kFirstTry = 1s;  // then c-ares doubles it
constexpr int kTries = 3;           // of each name server

// One question, with a channel of its own: a deadline can end it without ending others. c-ares opens and closes sockets
// as it likes; they gather in an epoll of their own, which the loop sees as one descriptor.
class Question : Pinned {
 public:
  explicit Question(Loop& loop) : sockets_(loop, ::epoll_create1(EPOLL_CLOEXEC)) {
    check(::ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS, "c-ares starts");
  }
  ~Question() {
    if (channel_ != nullptr) ::ares_destroy(channel_);
    ::ares_library_cleanup();
  }

  void ask(const std::string& host, const NameServers& servers);
  /// Reads what has arrived and sends again what was not answered in time.
  void go_on();
  /// When c-ares wants to send again.
  Deadline look_again(Instant now) const;

  bool ended() const { return ended_; }
  int status() const { return status_; }
  Descriptor& sockets() { return sockets_; }
  Resolved take() { return std::move(resolved_); }

 private:
  static void watch(void* self, ares_socket_t socket, int readable, int writable);
  static void answered(void* self, int status, int timeouts, ares_addrinfo* answer);
  int open(const NameServers& servers);
  void read(const ares_addrinfo& answer);

  Descriptor sockets_;
  ares_channel channel_ = nullptr;
  bool ended_ = false;
  int status_ = ARES_SUCCESS;
  Resolved resolved_;
};

int Question::open(const NameServers& servers) {
  ares_options options{};
  options.timeout = static_cast<int>(kFirstTry / 1ms);
  options.tries = kTries;
  options.sock_state_cb = &Question::watch;
  options.sock_state_cb_data = this;
  const int asked = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
  const int opened = ::ares_init_options(&channel_, &options, asked);
  if (opened != ARES_SUCCESS || servers.empty()) return opened;
  std::vector<ares_addr_port_node> nodes(servers.size());
  for (std::size_t i = 0; i < servers.size(); ++i) {
    nodes[i].next = i + 1 < servers.size() ? &nodes[i + 1] : nullptr;
    nodes[i].family = servers[i].family();
    nodes[i].udp_port = nodes[i].tcp_port = servers[i].port();
    const std::string_view bytes = servers[i].ip_bytes();
    std::memcpy(&nodes[i].addr, bytes.data(), bytes.size());
  }
  return ::ares_set_servers_ports(channel_, nodes.data());
}

void Question::ask(const std::string& host, const NameServers& servers) {
  status_ = open(servers);
  ended_ = status_ != ARES_SUCCESS;
  if (ended_) return;
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_flags = ARES_AI_NOSORT;  // sorting would open a socket to each address
  ::ares_getaddrinfo(channel_, host.c_str(), nullptr, &hints, &Question::answered, this);
}

void Question::go_on() {
  constexpr int kSockets = 64;  // a handful of name servers, by UDP and TCP; what is left comes with the next look
  std::array<epoll_event, kSockets> events{};
  const int count = ::epoll_wait(sockets_.fd(), events.data(), kSockets, 0);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    const ares_socket_t socket = event.data.fd;
    const bool writable = (event.events & EPOLLOUT) != 0;
    const bool readable = (event.events & ~static_cast<unsigned>(EPOLLOUT)) != 0;
    ::ares_process_fd(channel_, readable ? socket : ARES_SOCKET_BAD, writable ? socket : ARES_SOCKET_BAD);
  }
  if (count <= 0) ::ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

Deadline Question::look_again(Instant now) const {
  timeval room{};
  const timeval* wait = ::ares_timeout(channel_, nullptr, &room);
  if (wait == nullptr) return kNever;
  return now + std::chrono::seconds(wait->tv_sec) + std::chrono::microseconds(wait->tv_usec) + 1ms;
}

void Question::watch(void* self, ares_socket_t socket, int readable, int writable) {
  const int gathered = static_cast<Question*>(self)->sockets_.fd();
  epoll_event event{};
  event.events = (readable != 0 ? unsigned{EPOLLIN} : 0U) | (writable != 0 ? unsigned{EPOLLOUT} : 0U);
  event.data.fd = socket;
  if (event.events == 0) {
    ::epoll_ctl(gathered, EPOLL_CTL_DEL, socket, nullptr);
  } else if (::epoll_ctl(gathered, EPOLL_CTL_MOD, socket, &event) != 0) {
    ::epoll_ctl(gathered, EPOLL_CTL_ADD, socket, &event);
  }
}

void Question::answered(void* self, int status, int /*timeouts*/, ares_addrinfo* answer) {
  auto& question = *static_cast<Question*>(self);
  question.ended_ = true;
  question.status_ = status;
  if (answer == nullptr) return;
  question.read(*answer);
  ::ares_freeaddrinfo(answer);
}

void Question::read(const ares_addrinfo& answer) {
  constexpr int kLongestTtl = 7 * 24 * 3600;  // RFC 8767 section 4: what is longer is capped
  int ttl = kLongestTtl;
  bool ip4 = false;
  for (const ares_addrinfo_node* node = answer.nodes; node != nullptr; node = node->ai_next) {
    ip4 = ip4 || node->ai_family == AF_INET;
    ttl = std::min(ttl, node->ai_ttl);
  }
  for (const ares_addrinfo_cname* name = answer.cnames; name != nullptr; name = name->next) {
    ttl = std::min(ttl, name->ttl);
  }
  std::vector<SocketAddress>& all = resolved_.addresses;
  for (const ares_addrinfo_node* node = answer.nodes; node != nullptr; node = node->ai_next) {
    if (node->ai_family == (ip4 ? AF_INET : AF_INET6)) {
      all.push_back(SocketAddress::from_raw(node->ai_addr, static_cast<socklen_t>(node->ai_addrlen)));
    }
  }
  std::ranges::sort(all, {}, &SocketAddress::ip_bytes);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  resolved_.ttl = std::chrono::seconds(std::max(ttl, 0));
}

// Waits for an edge of the gathered sockets.
class SomethingCame : public Operation {
 public:
  SomethingCame(Descriptor& sockets, Deadline deadline)
      : Operation(&SomethingCame::attempt), sockets_(&sockets), deadline_(deadline) {}
  bool await_ready() { return attempt(*this); }
  void await_suspend(std::coroutine_handle<> waiter) {
    sockets_->wait(*this, Descriptor::Direction::read, waiter, deadline_);
  }
  void await_resume() const {}

 private:
  static bool attempt(Operation& operation) { return static_cast<SomethingCame&>(operation).sockets_->take_readable(); }
  Descriptor* sockets_;
  Deadline deadline_;
};

Code code_of(int status) {
  switch (status) {
    case ARES_ENOTFOUND:
    case ARES_ENODATA: return Code::missing;
    case ARES_ETIMEOUT: return Code::timed_out;
    case ARES_ECONNREFUSED:
    case ARES_EREFUSED: return Code::refused;
    case ARES_EFORMERR:
    case ARES_EBADRESP:
    case ARES_ESERVFAIL: return Code::protocol;
    default: return Code::internal;
  }
}

}  // namespace

Task<Result<Resolved>> resolve(Ref<Loop> loop, std::string host, NameServers servers, Deadline deadline,
                               Ref<Stop> stop) {
  Question question(*loop);
  const Stop::Hook end(*stop, [&question] { question.sockets().cancel(); });
  question.ask(host, servers);
  while (!question.ended()) {
    if (stop->requested()) co_return fail(Code::stopped, Side::local, "resolve " + host);
    if (loop->now() >= deadline) {
      co_return fail(Code::timed_out, Side::upstream, "resolve " + host + ": no name server answered in time");
    }
    const Deadline look = std::min(deadline, question.look_again(loop->now()));
    co_await SomethingCame(question.sockets(), look);
    question.go_on();
  }
  if (question.status() != ARES_SUCCESS) {
    co_return fail(code_of(question.status()), Side::upstream,
                   "resolve " + host + ": " + ::ares_strerror(question.status()));
  }
  Resolved resolved = question.take();
  if (resolved.addresses.empty()) co_return fail(Code::missing, Side::upstream, "resolve " + host + ": no address");
  co_return resolved;
}

}  // namespace holdfast::io
