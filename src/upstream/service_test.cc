#include "upstream/service.h"

#include <array>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "balance/member.h"
#include "io/loop.h"
#include "upstream/connection.h"
#include "upstream/local_service.h"

namespace holdfast::upstream {
namespace {

config::Service with_endpoints(std::initializer_list<const char*> addresses) {
  config::Service config;
  config.name = "feed";
  for (const char* address : addresses) {
    config::Endpoint endpoint;
    endpoint.address = *config::Address::parse(address);
    config.endpoints.push_back(endpoint);
  }
  return config;
}

TEST(Service, takes_over_the_endpoints_that_stay) {
  const auto before = Service::make(with_endpoints({"10.0.0.1:80", "10.0.0.2:80"}), nullptr);
  ASSERT_TRUE(before);
  const auto after = Service::make(with_endpoints({"10.0.0.2:80", "10.0.0.3:80"}), before->get());
  ASSERT_TRUE(after);
  EXPECT_EQ((*after)->endpoints()[0], (*before)->endpoints()[1]) << "the same object: load and latency live on";
  EXPECT_NE((*after)->endpoints()[1], (*before)->endpoints()[0]);
}

TEST(Service, says_which_endpoint_of_which_service_cannot_be_used) {
  const auto service = Service::make(with_endpoints({"db.example:80"}), nullptr);
  ASSERT_FALSE(service);
  EXPECT_NE(service.error().what.find("db.example:80 of service feed"), std::string::npos) << service.error().what;
}

TEST(Service, a_backup_takes_no_part_until_health_says_so) {
  config::Service config = with_endpoints({"10.0.0.1:80", "10.0.0.2:80"});
  config.endpoints[1].backup = true;
  const auto service = Service::make(config, nullptr);
  ASSERT_TRUE(service);
  std::vector<std::uint16_t> shares;
  (*service)->read_shares(shares);
  EXPECT_EQ(shares, (std::vector<std::uint16_t>{balance::kWholeShare, 0}));
}

TEST(LocalService, follows_the_shares_that_are_published) {
  io::Loop loop;
  const auto service = Service::make(with_endpoints({"10.0.0.1:80", "10.0.0.2:80"}), nullptr);
  ASSERT_TRUE(service);
  LocalService local(loop, *service, nullptr, 0);
  const std::array<std::uint16_t, 2> only_second{0, balance::kWholeShare};
  (*service)->publish_shares(only_second);
  for (int i = 0; i < 4; ++i) {
    const balance::Pick pick = local.pick({}, loop.now());
    ASSERT_EQ(pick.outcome, balance::Outcome::picked);
    EXPECT_EQ(pick.index, 1U);
    local.release(pick.index);
  }
}

TEST(LocalService, a_token_finds_its_endpoint_and_no_other) {
  io::Loop loop;
  const auto service = Service::make(with_endpoints({"10.0.0.1:80", "10.0.0.2:80"}), nullptr);
  ASSERT_TRUE(service);
  LocalService local(loop, *service, nullptr, 0);
  EXPECT_EQ(local.endpoint_of_token(local.token_of(1).view()), 1U);
  EXPECT_EQ(local.endpoint_of_token("no such token"), std::nullopt);
  EXPECT_EQ(local.endpoint_of_token(std::nullopt), std::nullopt);
}

struct Opened {
  std::unique_ptr<Connection> ours;
  io::UniqueFd theirs;
};

Opened open_connection(io::Loop& loop) {
  std::array<int, 2> fds{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()), 0);
  auto stream = std::make_unique<io::Stream>(loop, io::UniqueFd(fds[0]));
  return {std::make_unique<Connection>(std::move(stream)), io::UniqueFd(fds[1])};
}

TEST(ConnectionPool, gives_back_the_last_one_first_and_keeps_no_more_than_told) {
  io::Loop loop;
  ConnectionPool pool;
  Opened a = open_connection(loop);
  Opened b = open_connection(loop);
  Opened c = open_connection(loop);
  const Connection* last = b.ours.get();
  pool.put(std::move(a.ours), loop.now(), 2);
  pool.put(std::move(b.ours), loop.now(), 2);
  pool.put(std::move(c.ours), loop.now(), 2);
  EXPECT_EQ(pool.size(), 2U);
  EXPECT_EQ(pool.take().get(), last);
}

TEST(ConnectionPool, never_reuses_a_connection_with_bytes_nobody_asked_for) {
  io::Loop loop;
  ConnectionPool pool;
  Opened poisoned = open_connection(loop);
  Opened closed = open_connection(loop);
  pool.put(std::move(poisoned.ours), loop.now(), 8);
  pool.put(std::move(closed.ours), loop.now(), 8);
  ASSERT_EQ(::write(poisoned.theirs.get(), "HTTP/1.1 200 OK\r\n", 17), 17);
  closed.theirs.reset();
  loop.run_once();
  EXPECT_EQ(pool.take(), nullptr);
  EXPECT_EQ(pool.size(), 0U);
}

TEST(ConnectionPool, closes_what_has_been_idle_too_long_and_nothing_else) {
  io::Loop loop;
  ConnectionPool pool;
  Opened old = open_connection(loop);
  Opened young = open_connection(loop);
  pool.put(std::move(old.ours), loop.now(), 8);
  pool.put(std::move(young.ours), loop.now() + 1s, 8);
  pool.close_idle_since(loop.now() + 1s);
  EXPECT_EQ(pool.size(), 1U);
}

TEST(ConnectionPool, keeps_nothing_once_its_endpoint_is_gone) {
  io::Loop loop;
  ConnectionPool pool;
  Opened before = open_connection(loop);
  Opened after = open_connection(loop);
  pool.put(std::move(before.ours), loop.now(), 8);
  pool.retire();
  EXPECT_EQ(pool.size(), 0U);
  pool.put(std::move(after.ours), loop.now(), 8);
  EXPECT_EQ(pool.size(), 0U);
}

TEST(LocalService, a_reload_closes_what_is_kept_for_endpoints_that_went_and_for_no_other) {
  io::Loop loop;
  const auto before = Service::make(with_endpoints({"10.0.0.1:80", "10.0.0.2:80"}), nullptr);
  ASSERT_TRUE(before);
  LocalService old(loop, *before, nullptr, 0);
  for (const std::uint32_t i : {0U, 1U}) {
    Opened opened = open_connection(loop);
    old.endpoint(i).idle.put(std::move(opened.ours), loop.now(), 8);
  }
  const auto after = Service::make(with_endpoints({"10.0.0.2:80"}), before->get());
  ASSERT_TRUE(after);
  LocalService fresh(loop, *after, &old, 0);
  old.retire(&fresh);
  EXPECT_EQ(old.endpoint(0).idle.size(), 0U);
  EXPECT_EQ(fresh.endpoint(0).idle.size(), 1U);
  fresh.retire(nullptr);
  EXPECT_EQ(fresh.endpoint(0).idle.size(), 0U);
}

}  // namespace
}  // namespace holdfast::upstream
