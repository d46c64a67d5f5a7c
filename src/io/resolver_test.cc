#include "io/resolver.h"

#include <arpa/inet.h>
#include <array>
#include <gtest/gtest.h>
#include <map>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "io/loop.h"
#include "io/scope.h"
#include "io/unique_fd.h"

namespace holdfast::io {
namespace {

constexpr std::uint16_t kTypeA = 1;
constexpr std::uint16_t kTypeAaaa = 28;

// A name server with a short memory (RFC 1035 section 4): what it does not know has no address, and names that begin
// with "silent" get no answer.
class NameServer {
 public:
  struct Record {
    std::string bytes;  ///< of the address
    std::uint8_t ttl_s = 0;
  };
  using Records = std::multimap<std::pair<std::string, std::uint16_t>, Record>;

  explicit NameServer(Records records = {}) : records_(std::move(records)) {
    const Result<SocketAddress> any = SocketAddress::from_ip("127.0.0.1", 0);
    EXPECT_EQ(::bind(socket_.get(), any->raw(), any->size()), 0);
    thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  }

  NameServers servers() const { return {local_address(socket_.get())}; }

 private:
  void serve(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd readable{.fd = socket_.get(), .events = POLLIN, .revents = 0};
      if (::poll(&readable, 1, 10) <= 0) continue;
      std::array<char, 512> bytes{};
      sockaddr_storage from{};
      socklen_t size = sizeof from;
      auto* raw = reinterpret_cast<sockaddr*>(&from);
      const ssize_t got = ::recvfrom(socket_.get(), bytes.data(), bytes.size(), 0, raw, &size);
      if (got <= 0) continue;
      const std::string answer = answer_to({bytes.data(), static_cast<std::size_t>(got)});
      if (!answer.empty()) ::sendto(socket_.get(), answer.data(), answer.size(), 0, raw, size);
    }
  }

  std::string answer_to(const std::string& query) const {
    constexpr std::size_t kHeader = 12;
    std::string name;
    std::size_t at = kHeader;
    while (query[at] != 0) {
      const std::size_t length = static_cast<unsigned char>(query[at]);
      if (!name.empty()) name += '.';
      name += query.substr(at + 1, length);
      at += 1 + length;
    }
    if (name.starts_with("silent")) return {};
    const std::string question = query.substr(kHeader, at + 5 - kHeader);
    const std::uint16_t type = static_cast<unsigned char>(query[at + 2]);
    const auto [first, last] = records_.equal_range({name, type});
    std::string answers;
    for (auto each = first; each != last; ++each) {
      const Record& record = each->second;
      answers += std::string("\xc0\x0c\0", 3) + static_cast<char>(type) + std::string("\0\1\0\0\0", 5);
      answers += static_cast<char>(record.ttl_s);
      answers += std::string(1, '\0') + static_cast<char>(record.bytes.size()) + record.bytes;
    }
    const auto count = static_cast<char>(std::distance(first, last));
    std::string head = query.substr(0, 2) + std::string("\x81\x80\0\1\0", 5) + count + std::string(4, '\0');
    return head + question + answers;
  }

  const Records records_;
  UniqueFd socket_{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  std::jthread thread_;
};

NameServer::Record ip4(char last, std::uint8_t ttl_s) { return {std::string("\x0a\0\0", 3) + last, ttl_s}; }

Task<> keep(Ref<Loop> loop, std::string host, NameServers servers, Duration patience, Ref<Stop> stop,
            Result<Resolved>* result) {
  Result<Resolved> resolved = co_await resolve(loop, host, std::move(servers), loop->now() + patience, stop);
  *result = std::move(resolved);
  loop->stop();
}

Result<Resolved> ask(const std::string& host, NameServers servers, Duration patience = 10s) {
  Loop loop;
  Stop stop;
  Scope tasks(loop);
  Result<Resolved> result;
  tasks.add(keep(loop, host, std::move(servers), patience, stop, &result));
  while (tasks.size() != 0) loop.run_once();
  return result;
}

std::vector<std::string> addresses(const Result<Resolved>& result) {
  std::vector<std::string> all;
  if (!result) return {result.error().what};
  for (const SocketAddress& each : result->addresses) all.push_back(ip_to_string(each));
  return all;
}

TEST(Resolver, asks_the_hosts_file_first) {
  const Result<Resolved> result = ask("localhost", {});
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(addresses(result), std::vector<std::string>{"127.0.0.1"});
  EXPECT_EQ(result->ttl, 0s);
}

TEST(Resolver, tells_every_address_once_in_order_and_the_shortest_time_to_live) {
  const NameServer server(
      {{{"db.test", kTypeA}, ip4(9, 70)}, {{"db.test", kTypeA}, ip4(2, 30)}, {{"db.test", kTypeA}, ip4(9, 50)}});
  const Result<Resolved> result = ask("db.test", server.servers());
  ASSERT_TRUE(result.has_value()) << result.error().what;
  EXPECT_EQ(addresses(result), (std::vector<std::string>{"10.0.0.2", "10.0.0.9"}));
  EXPECT_EQ(result->ttl, 30s);
}

TEST(Resolver, prefers_one_family_so_that_a_server_counts_once) {
  const NameServer::Record ip6{std::string(15, '\0') + '\1', 5};
  const NameServer server(
      {{{"both.test", kTypeA}, ip4(1, 5)}, {{"both.test", kTypeAaaa}, ip6}, {{"six.test", kTypeAaaa}, ip6}});
  EXPECT_EQ(addresses(ask("both.test", server.servers())), std::vector<std::string>{"10.0.0.1"});
  EXPECT_EQ(addresses(ask("six.test", server.servers())), std::vector<std::string>{"::1"});
}

TEST(Resolver, says_that_a_name_has_no_address) {
  const NameServer server;
  const Result<Resolved> result = ask("nothing.test", server.servers());
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, Code::missing);
}

TEST(Resolver, gives_up_at_its_deadline) {
  const NameServer server;
  const Result<Resolved> result = ask("silent.test", server.servers(), 30ms);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, Code::timed_out);
}

TEST(Resolver, stops_when_it_is_asked_to) {
  const NameServer server;
  Loop loop;
  Stop stop;
  Scope tasks(loop);
  Result<Resolved> result;
  tasks.add(keep(loop, "silent.test", server.servers(), 1h, stop, &result));
  loop.run_once();
  stop.request();
  while (tasks.size() != 0) loop.run_once();
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, Code::stopped);
}

TEST(Resolver, asks_the_next_server_when_one_is_not_there) {
  const NameServer server(NameServer::Records{{{"db.test", kTypeA}, ip4(4, 1)}});
  NameServers servers = server.servers();
  const UniqueFd closed(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const Result<SocketAddress> any = SocketAddress::from_ip("127.0.0.1", 0);
  ASSERT_EQ(::bind(closed.get(), any->raw(), any->size()), 0);  // bound, and nobody answers
  servers.insert(servers.begin(), local_address(closed.get()));
  EXPECT_EQ(addresses(ask("db.test", servers)), std::vector<std::string>{"10.0.0.4"});
}

}  // namespace
}  // namespace holdfast::io
