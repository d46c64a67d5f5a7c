#include "upstream/queue.h"

#include <array>
#include <gtest/gtest.h>
#include <vector>

#include "balance/member.h"
#include "base/prng.h"
#include "io/loop.h"
#include "io/loop_thread.h"
#include "io/scope.h"
#include "upstream/local_service.h"

namespace holdfast::upstream {
namespace {

config::Service with_endpoints(std::initializer_list<const char*> addresses, unsigned limit = 1) {
  config::Service config;
  config.name = "feed";
  config.limits.connections_per_endpoint = limit;
  for (const char* address : addresses) {
    config::Endpoint endpoint;
    endpoint.address = *config::Address::parse(address);
    config.endpoints.push_back(endpoint);
  }
  return config;
}

std::shared_ptr<Service> make(const config::Service& config, const Service* before = nullptr) {
  std::shared_ptr<Service> service = *Service::make(config, before);
  service->take_effect();
  return service;
}

std::uint32_t in_flight(const Service& service, std::uint32_t endpoint = 0) {
  return service.endpoints()[endpoint]->load.in_flight.load();
}

constexpr auto kPicked = balance::Outcome::picked;
constexpr auto kBusy = balance::Outcome::all_busy;

struct QueueTest : testing::Test {
  balance::Pick pick(LocalService& local) { return local.pick({}, loop.now()); }

  io::Loop loop;
};

TEST_F(QueueTest, takes_as_many_as_the_limit_says_and_the_newest_limit_counts) {
  config::Service config = with_endpoints({"10.0.0.1:80"});
  config.limits.queue = 3;
  const auto service = make(config);
  std::array<std::unique_ptr<Queue::Waiter>, 5> waiters;
  for (auto& each : waiters) each = std::make_unique<Queue::Waiter>(loop, *service);
  EXPECT_TRUE(waiters[0]->enter());
  EXPECT_TRUE(waiters[1]->enter());
  EXPECT_TRUE(waiters[2]->enter()) << "the last of three";
  EXPECT_FALSE(waiters[3]->enter()) << "one too many";
  EXPECT_EQ(waiters[0]->leave(), std::nullopt);
  EXPECT_TRUE(waiters[3]->enter());
  EXPECT_EQ(service->queue().waiting(), 3U);

  config.limits.queue = 4;
  const auto after = make(config, service.get());
  EXPECT_TRUE(waiters[0]->enter()) << "of the service before, but the limit is the new one";
  EXPECT_FALSE(waiters[4]->enter());
  for (int i = 0; i < 4; ++i) waiters[static_cast<std::size_t>(i)]->leave();
  EXPECT_EQ(after->queue().waiting(), 0U);
}

TEST_F(QueueTest, a_place_given_back_passes_to_who_has_waited_longest_and_newcomers_do_not_see_it) {
  const auto service = make(with_endpoints({"10.0.0.1:80"}));
  LocalService local(loop, service, nullptr, 0);
  ASSERT_EQ(pick(local).outcome, kPicked);
  Queue::Waiter first(loop, *service);
  Queue::Waiter second(loop, *service);
  ASSERT_TRUE(first.enter());
  ASSERT_TRUE(second.enter());
  local.release(0);
  EXPECT_TRUE(first.served());
  EXPECT_FALSE(second.served());
  EXPECT_EQ(service->queue().waiting(), 1U);
  EXPECT_EQ(pick(local).outcome, kBusy) << "the place has an owner";
  EXPECT_EQ(first.leave(), 0U);
  EXPECT_EQ(in_flight(*service), 1U);
  local.release(0);
  EXPECT_EQ(second.leave(), 0U);
  local.release(0);
  EXPECT_EQ(in_flight(*service), 0U);
}

TEST_F(QueueTest, a_place_handed_to_one_whose_time_is_up_is_his_to_pass_on) {
  const auto service = make(with_endpoints({"10.0.0.1:80"}));
  LocalService local(loop, service, nullptr, 0);
  ASSERT_EQ(pick(local).outcome, kPicked);
  Queue::Waiter late(loop, *service);
  Queue::Waiter next(loop, *service);
  ASSERT_TRUE(late.enter());
  ASSERT_TRUE(next.enter());
  local.release(0);
  // `late` gives up now, for whatever reason: the place is not lost.
  const std::optional<std::uint32_t> handed_over = late.leave();
  ASSERT_TRUE(handed_over);
  local.release(*handed_over);
  EXPECT_EQ(next.leave(), 0U);
  local.release(0);
}

TEST_F(QueueTest, waiters_of_both_sides_of_a_reload_are_served_in_turn) {
  const auto before = make(with_endpoints({"10.0.0.1:80", "10.0.0.2:80"}));
  LocalService old(loop, before, nullptr, 0);
  ASSERT_EQ(pick(old).outcome, kPicked);
  ASSERT_EQ(pick(old).outcome, kPicked);
  Queue::Waiter first(loop, *before);
  ASSERT_TRUE(first.enter());

  const auto after = make(with_endpoints({"10.0.0.2:80", "10.0.0.3:80"}), before.get());
  LocalService fresh(loop, after, &old, 0);
  const balance::Pick third = pick(fresh);
  ASSERT_EQ(third.index, 1U) << "the new endpoint is free";
  Queue::Waiter second(loop, *after);
  Queue::Waiter last(loop, *after);
  ASSERT_TRUE(second.enter());
  ASSERT_TRUE(last.enter());

  fresh.release(1);  // 10.0.0.3, of which the first waiter knows nothing
  EXPECT_FALSE(first.served());
  EXPECT_EQ(second.leave(), 1U);
  old.release(1);  // 10.0.0.2, under its old number: the oldest waiter knows it
  EXPECT_EQ(first.leave(), 1U);
  old.release(1);  // once more: now it is the turn of the new service, which numbers it otherwise
  EXPECT_EQ(last.leave(), 0U);
  fresh.release(0);
  fresh.release(1);
  old.release(0);
  EXPECT_EQ(in_flight(*before, 0) + in_flight(*after, 0) + in_flight(*after, 1), 0U);
}

TEST_F(QueueTest, a_place_at_an_endpoint_that_takes_no_part_is_handed_to_nobody) {
  const auto service = make(with_endpoints({"10.0.0.1:80", "10.0.0.2:80"}));
  LocalService local(loop, service, nullptr, 0);
  ASSERT_EQ(pick(local).outcome, kPicked);
  ASSERT_EQ(pick(local).outcome, kPicked);
  Queue::Waiter waiter(loop, *service);
  ASSERT_TRUE(waiter.enter());
  service->publish_shares(std::array<std::uint16_t, 2>{0, balance::kWholeShare});
  local.release(0);
  EXPECT_FALSE(waiter.served());
  EXPECT_EQ(in_flight(*service, 0), 0U);
  local.release(1);
  EXPECT_EQ(waiter.leave(), 1U);
  local.release(1);
}

TEST_F(QueueTest, a_lowered_limit_is_reached_before_anybody_is_served) {
  config::Service config = with_endpoints({"10.0.0.1:80"}, 3);
  const auto service = make(config);
  LocalService local(loop, service, nullptr, 0);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(pick(local).outcome, kPicked);
  Queue::Waiter waiter(loop, *service);
  ASSERT_TRUE(waiter.enter());
  config.limits.connections_per_endpoint = 1;
  const auto after = make(config, service.get());
  local.release(0);
  EXPECT_EQ(in_flight(*service), 2U);
  local.release(0);
  EXPECT_EQ(in_flight(*service), 1U);
  EXPECT_FALSE(waiter.served());
  local.release(0);
  EXPECT_EQ(waiter.leave(), 0U);
  EXPECT_EQ(in_flight(*service), 1U);
  local.release(0);
}

// ---- what wakes without a place being given back

io::Task<> look_until_found(Ref<LocalService> local, Ref<Queue::Waiter> waiter, Ref<io::Loop> loop, Ref<bool> found) {
  while (!*found) {
    const bool in_time = co_await waiter->wait(kNever);
    if (!in_time) break;
    *found = local->pick({}, loop->now()).outcome == kPicked;
  }
}

TEST_F(QueueTest, a_raised_limit_and_a_returned_endpoint_wake_who_waits) {
  config::Service config = with_endpoints({"10.0.0.1:80", "10.0.0.2:80"});
  const auto service = make(config);
  LocalService local(loop, service, nullptr, 0);
  service->publish_shares(std::array<std::uint16_t, 2>{balance::kWholeShare, 0});
  ASSERT_EQ(pick(local).outcome, kPicked);
  for (const bool by_limit : {false, true}) {
    Queue::Waiter waiter(loop, *service);
    ASSERT_TRUE(waiter.enter());
    bool found = false;
    io::Scope scope(loop);
    scope.add(look_until_found(local, waiter, loop, found));
    EXPECT_FALSE(found);
    std::shared_ptr<Service> after;
    if (by_limit) {
      config.limits.connections_per_endpoint = 2;
      after = make(config, service.get());
    } else {
      service->publish_shares(std::array<std::uint16_t, 2>{balance::kWholeShare, balance::kWholeShare});
    }
    for (int turns = 0; turns < 10 && scope.size() != 0; ++turns) loop.run_once();
    EXPECT_TRUE(found) << (by_limit ? "by the limit" : "by the share");
    EXPECT_EQ(waiter.leave(), std::nullopt);
  }
}

// ---- many loops at once

/// One loop's clients: each takes a place, holds it for a turn or not at all, and gives it back, many times.
struct Crowd : Pinned {
  Crowd(io::Loop& loop_, std::shared_ptr<Service> service_, std::uint64_t seed)
      : loop(loop_), service(std::move(service_)), local(loop, service, nullptr, seed), prng(seed), tasks(loop) {}

  io::Loop& loop;
  const std::shared_ptr<Service> service;
  LocalService local;
  Prng prng;
  io::Scope tasks;
  std::uint64_t tickets = 0;      ///< given to whoever enters the queue
  std::uint64_t last_served = 0;  ///< the ticket of who was handed a place last
  std::uint64_t out_of_order = 0;
  std::uint64_t claims = 0;
  std::uint64_t handed_over = 0;
  std::uint64_t timed_out = 0;
  std::uint64_t beyond_limit = 0;
};

io::Task<std::optional<std::uint32_t>> take_place(Ref<Crowd> crowd, bool patient) {
  balance::Pick pick = crowd->local.pick({}, crowd->loop.now());
  if (pick) co_return pick.index;
  Queue::Waiter waiter(crowd->loop, *crowd->service);
  if (!waiter.enter()) co_return std::nullopt;
  const std::uint64_t ticket = ++crowd->tickets;
  Deadline deadline = kNever;
  if (!patient) deadline = crowd->loop.now() + 1ms * static_cast<int>(crowd->prng.below(3));
  bool in_time = true;
  while (in_time && !waiter.served()) {
    pick = crowd->local.pick({}, crowd->loop.now());
    if (pick) break;
    in_time = co_await waiter.wait(deadline);
  }
  const std::optional<std::uint32_t> handed_over = waiter.leave();
  if (handed_over) {
    ++crowd->handed_over;
    // Who looks for another reason in that very turn may find its place a step before its turn: only the rest is in
    // order.
    if (patient && ticket < crowd->last_served) ++crowd->out_of_order;
    if (patient) crowd->last_served = ticket;
    if (pick) crowd->local.release(*handed_over);
  }
  if (pick) co_return pick.index;
  if (!handed_over) ++crowd->timed_out;
  co_return handed_over;
}

io::Task<> come_again(Ref<Crowd> crowd, int times) {
  for (int i = 0; i < times; ++i) {
    const bool patient = crowd->prng.below(4) != 0;
    const std::optional<std::uint32_t> place = co_await take_place(crowd, patient);
    if (!place) {
      co_await crowd->loop.yield();
      continue;
    }
    ++crowd->claims;
    const balance::Load& load = crowd->service->endpoints()[*place]->load;
    if (load.in_flight.load() > load.limit.load()) ++crowd->beyond_limit;
    if (crowd->prng.below(4) != 0) co_await crowd->loop.yield();
    crowd->local.release(*place);
  }
}

/// `shaken`: everyone is told to look again all the time, as changes of health do.
void run_crowds(bool shaken) {
  constexpr std::size_t kLoops = 4;
  constexpr int kClients = 32;
  constexpr int kTimes = 200;
  // Two generations share one endpoint and the queue; loops are on different ones, as in the midst of a reload.
  config::Service config = with_endpoints({"10.0.0.1:80", "10.0.0.2:80"}, 2);
  const auto before = make(config);
  config.endpoints.pop_back();
  const auto after = make(config, before.get());
  {
    std::array<std::unique_ptr<io::LoopThread>, kLoops> threads;
    std::array<std::unique_ptr<Crowd>, kLoops> crowds;
    for (std::size_t i = 0; i < kLoops; ++i) {
      threads[i] = std::make_unique<io::LoopThread>("crowd");
      threads[i]->run_and_wait([&, i] {
        crowds[i] = std::make_unique<Crowd>(threads[i]->loop(), i % 2 == 0 ? before : after, i + 1);
        for (int client = 0; client < kClients; ++client) crowds[i]->tasks.add(come_again(*crowds[i], kTimes));
      });
    }
    // A lost place or a lost waiter would leave somebody waiting for ever.
    const Instant give_up = io::read_clock() + 120s;
    std::size_t running = 1;
    while (running != 0 && io::read_clock() < give_up) {
      running = 0;
      if (shaken) before->queue().look_again();
      for (std::size_t i = 0; i < kLoops; ++i) {
        threads[i]->run_and_wait([&, i] { running += crowds[i]->tasks.size(); });
      }
    }
    ASSERT_EQ(running, 0U) << before->queue().waiting() << " wait, in flight " << in_flight(*before, 0) << " and "
                           << in_flight(*before, 1);
    std::uint64_t handed_over = 0;
    for (std::size_t i = 0; i < kLoops; ++i) {
      threads[i]->run_and_wait([&, i] {
        EXPECT_TRUE(shaken || crowds[i]->out_of_order == 0) << crowds[i]->out_of_order;
        EXPECT_EQ(crowds[i]->beyond_limit, 0U);
        EXPECT_EQ(crowds[i]->claims + crowds[i]->timed_out, std::uint64_t{kClients} * kTimes);
        handed_over += crowds[i]->handed_over;
        crowds[i].reset();
      });
    }
    EXPECT_GT(handed_over, 0U);
  }
  EXPECT_EQ(before->queue().waiting(), 0U);
  EXPECT_EQ(in_flight(*before, 0), 0U);
  EXPECT_EQ(in_flight(*before, 1), 0U);
}

TEST(QueueUnderLoad, loses_no_place_and_no_waiter_and_serves_each_loop_in_order) { run_crowds(false); }
TEST(QueueUnderLoad, loses_none_while_everyone_looks_again_and_again) { run_crowds(true); }

}  // namespace
}  // namespace holdfast::upstream
