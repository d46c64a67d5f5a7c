#include "upstream/health_keeper.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "balance/member.h"
#include "io/listening_socket.h"
#include "io/scope.h"

namespace holdfast::upstream {
namespace {

// A service of two: one that listens on loopback, one that can be made to.
struct World {
  World()
      : keeper(loop, [this](const Service&, std::uint32_t endpoint, health::State state, const std::string&) {
          told.push_back(std::to_string(endpoint) + " " + std::string(health::to_string(state)));
          loop.stop();
        }) {
    Result<io::UniqueFd> first = io::listen_on(*io::SocketAddress::from_ip("127.0.0.1", 0));
    Result<io::UniqueFd> second = io::listen_on(*io::SocketAddress::from_ip("127.0.0.1", 0));
    EXPECT_TRUE(first && second);
    listening.push_back(std::move(*first));
    listening.push_back(std::move(*second));
    config.name = "feed";
    for (const io::UniqueFd& socket : listening) {
      config::Endpoint endpoint;
      endpoint.address = *config::Address::parse(io::to_string(io::local_address(socket.get())));
      config.endpoints.push_back(endpoint);
    }
  }
  ~World() {
    keeper.stop();
    io::Scope waiting(loop);
    waiting.add(stop_when_idle());
    loop.run();
  }

  io::Task<> stop_when_idle() {
    (void)co_await keeper.idle(kNever);
    loop.stop();
  }
  void watch() {
    service = *Service::make(config, nullptr);
    const std::vector<std::shared_ptr<Service>> services{service};
    keeper.watch(services);
  }
  std::vector<std::uint16_t> shares() const {
    std::vector<std::uint16_t> read;
    service->read_shares(read);
    return read;
  }

  io::Loop loop;
  std::vector<std::string> told;
  HealthKeeper keeper;
  std::vector<io::UniqueFd> listening;
  config::Service config;
  std::shared_ptr<Service> service;
};

TEST(HealthKeeper, a_failed_connection_takes_an_endpoint_out_and_its_first_success_brings_it_back) {
  World world;
  world.watch();
  world.keeper.report_connect_failure(world.service, 1);
  world.loop.run();
  EXPECT_EQ(world.shares(), (std::vector<std::uint16_t>{balance::kWholeShare, 0}));
  // It listens all the time: the recovery probe finds out.
  world.loop.run();
  EXPECT_EQ(world.shares(), (std::vector<std::uint16_t>{balance::kWholeShare, balance::kWholeShare}));
  ASSERT_EQ(world.told.size(), 2U);
  EXPECT_EQ(world.told[1], "1 healthy");
}

TEST(HealthKeeper, checks_take_out_who_stops_listening) {
  World world;
  config::HealthCheck check;
  check.interval = 5ms;
  check.unhealthy_threshold = 2;
  world.config.health_check = check;
  world.watch();
  world.listening[0].reset();
  world.loop.run();
  EXPECT_EQ(world.told, (std::vector<std::string>{"0 unhealthy"}));
  EXPECT_EQ(world.shares(), (std::vector<std::uint16_t>{0, balance::kWholeShare}));
}

}  // namespace
}  // namespace holdfast::upstream
