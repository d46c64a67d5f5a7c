// Maglev, ring and bounded load against the published figures (Eisenbud 2016; Karger 1997; Mirrokni 2018).
#include <algorithm>
#include <gtest/gtest.h>

#include "balance/fleet_for_tests.h"
#include "balance/mix.h"

namespace holdfast::balance {
namespace {

std::vector<std::uint32_t> slots_of_each(const Maglev& table, std::size_t members) {
  std::vector<std::uint32_t> count(members, 0);
  for (const std::uint16_t member : table.slots()) ++count[member];
  return count;
}

/// Share of slots that change owner when the first `removed` members leave, in percent.
double changed_percent(std::size_t members, std::size_t removed, std::size_t size) {
  const Fleet fleet(members);
  const Maglev before(fleet.members, size);
  const Maglev after(std::span(fleet.members).subspan(removed), size);
  std::size_t changed = 0;
  for (std::size_t slot = 0; slot < size; ++slot) {
    const std::size_t owner = before.slots()[slot];
    if (owner < removed || after.slots()[slot] + removed != owner) ++changed;
  }
  return 100.0 * static_cast<double>(changed) / static_cast<double>(size);
}

TEST(Maglev, nsdi2016_5_3_a_thousand_members_own_nearly_equal_parts) {
  const Fleet fleet(1000);
  for (const auto& [size, overprovision] : {std::pair{kMaglevSize, 0.0075}, {kMaglevLargeSize, 0.0012}}) {
    const std::vector<std::uint32_t> count = slots_of_each(Maglev(fleet.members, size), 1000);
    const auto [least, most] = std::ranges::minmax(count);
    EXPECT_LE(most - least, 1U) << size;
    EXPECT_LT(most / (static_cast<double>(size) / 1000) - 1, overprovision) << size;
  }
}

TEST(Maglev, nsdi2016_5_3_few_slots_move_when_members_of_a_thousand_leave) {
  const struct {
    std::size_t removed;
    std::size_t size;
    double low, high;
  } bands[] = {{1, kMaglevSize, 0.3, 1.2},       {10, kMaglevSize, 2.5, 4.5},      {50, kMaglevSize, 7.0, 9.5},
               {1, kMaglevLargeSize, 0.15, 0.9}, {10, kMaglevLargeSize, 1.2, 2.2}, {50, kMaglevLargeSize, 5.0, 7.0}};
  for (const auto& band : bands) {
    const double changed = changed_percent(1000, band.removed, band.size);
    RecordProperty("changed_" + std::to_string(band.removed) + "_of_" + std::to_string(band.size),
                   std::to_string(changed));
    EXPECT_GT(changed, band.low) << band.removed << " of " << band.size;
    EXPECT_LT(changed, band.high) << band.removed << " of " << band.size;
  }
}

TEST(Maglev, small_clusters_move_hardly_more_than_the_share_of_who_left) {
  for (const auto& [members, least] : {std::pair{3U, 33.33}, {5U, 20.0}, {10U, 10.0}, {100U, 1.0}}) {
    const double changed = changed_percent(members, 1, kMaglevSize);
    RecordProperty("changed_1_of_" + std::to_string(members), std::to_string(changed));
    EXPECT_GT(changed, least - 0.01);
    EXPECT_LT(changed, least + 0.8);
  }
}

TEST(Maglev, honours_weights_and_forgets_the_order_of_the_file) {
  Fleet fleet{1, 2, 5, 0, 100};
  const Maglev table(fleet.members);
  const std::vector<std::uint32_t> count = slots_of_each(table, 5);
  EXPECT_NEAR(count[0], 65'537.0 / 108, 2);
  EXPECT_NEAR(count[1], 65'537.0 * 2 / 108, 2);
  EXPECT_NEAR(count[2], 65'537.0 * 5 / 108, 2);
  EXPECT_EQ(count[3], 0U);
  const std::vector<Member> reversed(fleet.members.rbegin(), fleet.members.rend());
  const Maglev other(reversed);
  for (std::size_t i = 0; i < kMaglevSize; ++i) ASSERT_EQ(table.slots()[i], 4 - other.slots()[i]);
}

TEST(Ring, karger1997_more_points_make_a_thousand_members_more_even) {
  const Fleet fleet(1000);
  const struct {
    std::uint32_t points;
    double low, high;
  } bands[] = {{1, 5.5, 11.0}, {10, 1.9, 2.7}, {100, 1.25, 1.48}, {160, 1.2, 1.38}, {1000, 1.07, 1.15}};
  for (const auto& band : bands) {
    const Ring ring(fleet.members, band.points);
    std::vector<double> keys(1000, 0);
    for (std::uint64_t key = 0; key < 1'000'000; ++key) ++keys[ring.lookup(key * 18'446'744'073'709ULL)];
    const double worst = std::ranges::max(keys) / 1000;
    RecordProperty("max_over_mean_" + std::to_string(band.points), std::to_string(worst));
    EXPECT_GT(worst, band.low) << band.points;
    EXPECT_LT(worst, band.high) << band.points;
  }
}

TEST(Ring, a_heavy_ring_stays_within_its_points) {
  Fleet fleet{kMaxWeight, kMaxWeight, 1};
  EXPECT_LE(Ring(fleet.members).points(), kRingMaxPoints + 3);
}

class Hash : public testing::TestWithParam<Algorithm> {};

TEST_P(Hash, keys_keep_their_member_when_another_is_out_and_come_back_with_it) {
  Fleet fleet(10);
  Balancer balancer({GetParam()}, fleet.members, 1);
  Prng prng(1);
  const auto owners = [&] {
    std::vector<std::uint32_t> owner;
    for (std::uint64_t key = 0; key < 20'000; ++key) {
      owner.push_back(balancer.pick({.hash = mix(key, 0)}, Instant{}, prng).index);
    }
    return owner;
  };
  const std::vector<std::uint32_t> before = owners();
  // From one member out to all but one: the ranking that takes over then must keep the promise too.
  std::vector<std::uint16_t> shares(10, kWholeShare);
  std::vector<std::uint32_t> previous = before;
  for (std::uint32_t out = 0; out < 9; ++out) {
    shares[out] = 0;
    balancer.set_shares(shares);
    const std::vector<std::uint32_t> now = owners();
    std::vector<std::uint32_t> gained(10, 0);
    for (std::size_t key = 0; key < now.size(); ++key) {
      if (previous[key] == out) {
        ++gained[now[key]];
      } else {
        ASSERT_EQ(now[key], previous[key]);
      }
    }
    const double fair = static_cast<double>(std::ranges::count(previous, out)) / (9 - out);
    for (std::uint32_t i = out + 1; i < 10; ++i) EXPECT_NEAR(gained[i], fair, fair * 0.35) << "out " << out;
    previous = now;
  }
  balancer.set_shares(std::vector<std::uint16_t>(10, kWholeShare));
  EXPECT_EQ(owners(), before);
}

TEST_P(Hash, slow_start_takes_keys_one_by_one_and_each_only_once) {
  Fleet fleet(4);
  Balancer balancer({GetParam()}, fleet.members, 1);
  Prng prng(1);
  std::vector<bool> taken(10'000, false);
  double last = -1;
  for (const int step : {0, 26, 64, 128, 200, 256}) {
    const auto share = static_cast<std::uint16_t>(step);
    balancer.set_shares(std::vector<std::uint16_t>{share, 256, 256, 256});
    double count = 0;
    for (std::uint64_t key = 0; key < 10'000; ++key) {
      const Question question{.hash = mix(key, 0)};
      const bool here = balancer.pick(question, Instant{}, prng).index == 0;
      ASSERT_FALSE(taken[key] && !here);
      taken[key] = here;
      count += here ? 1 : 0;
    }
    EXPECT_GT(count, last);
    EXPECT_NEAR(count, 2500.0 * share / 256, 350);
    last = count;
  }
}

TEST_P(Hash, bounded_load_never_passes_its_cap_at_any_step) {
  for (const unsigned percent : {110U, 125U, 150U, 200U}) {
    Fleet fleet(200);
    Balancer balancer({GetParam(), percent}, fleet.members, 1);
    Prng prng(percent);
    std::vector<std::uint16_t> shares(200, kWholeShare);
    std::vector<std::uint32_t> flying;
    std::size_t members = 200;
    const auto pick = [&] {
      std::uint64_t total = 0;
      for (std::size_t i = 0; i < 200; ++i) total += shares[i] == 0 ? 0 : fleet.loads[i].in_flight.load();
      const Pick picked = balancer.pick({.hash = mix(prng.below(3000), 1)}, Instant{}, prng);
      ASSERT_TRUE(picked);
      const std::uint64_t cap = (percent * (total + 1) + 100 * members - 1) / (100 * members);
      ASSERT_LE(fleet.loads[picked.index].in_flight, cap);
      ASSERT_NE(shares[picked.index], 0);
      flying.push_back(picked.index);
    };
    for (int i = 0; i < 2000; ++i) pick();
    for (int change = 0; change < 60; ++change) {
      // Somebody leaves, and what it carried is placed again; or somebody comes back.
      const std::uint64_t who = prng.below(200);
      const bool leaves = shares[who] != 0 && members > 100;
      if (!leaves && shares[who] != 0) continue;
      shares[who] = leaves ? 0 : kWholeShare;
      members = leaves ? members - 1 : members + 1;
      balancer.set_shares(shares);
      const auto lost = std::ranges::remove(flying, static_cast<std::uint32_t>(leaves ? who : 999));
      const auto again = static_cast<int>(lost.size());
      flying.erase(lost.begin(), lost.end());
      for (int i = 0; i < again; ++i) release(fleet.loads[who]);
      for (int i = 0; i < again; ++i) pick();
      for (int i = 0; i < 20; ++i) {
        release(fleet.loads[flying.front()]);
        flying.erase(flying.begin());
        pick();
      }
    }
  }
}

TEST_P(Hash, keys_placed_once_under_a_capacity_mostly_stay_where_plain_hashing_puts_them) {
  // The reference run for a ring of 100 points: 11.2, 4.1, 1.4 and 0.1 % elsewhere.
  const struct {
    std::uint32_t capacity;
    double low, high;
  } bands[] = {{11, 7, 16}, {13, 2, 7}, {15, 0.6, 3}, {20, 0, 0.5}};
  for (const auto& band : bands) {
    Fleet fleet(1000, band.capacity);
    Fleet other(1000);
    Balancer capped({GetParam()}, fleet.members, 1);
    Balancer plain({GetParam()}, other.members, 1);
    Prng prng(2);
    int elsewhere = 0;
    for (std::uint64_t key = 0; key < 10'000; ++key) {
      const Question question{.hash = mix(key, 0)};
      const bool same = capped.pick(question, Instant{}, prng) == plain.pick(question, Instant{}, prng);
      elsewhere += same ? 0 : 1;
    }
    RecordProperty("elsewhere_percent_at_" + std::to_string(band.capacity), std::to_string(elsewhere / 100.0));
    EXPECT_GE(elsewhere / 100.0, band.low) << band.capacity;
    EXPECT_LE(elsewhere / 100.0, band.high) << band.capacity;
  }
}

/// The share of requests a member of `capacity` turns away when on average it holds `mean`: Erlang's loss formula with
/// the turned-away requests offered to members elsewhere, which are no different.
double erlang_share_elsewhere(std::uint32_t capacity, double mean) {
  double lost = 0;
  for (int round = 0; round < 1000; ++round) {
    const double offered = mean / (1 - lost);
    double blocking = 1;
    for (std::uint32_t k = 1; k <= capacity; ++k) blocking = offered * blocking / (k + offered * blocking);
    lost = blocking;
  }
  return lost;
}

TEST_P(Hash, bounded_load_with_coming_and_going_requests_moves_as_many_as_erlangs_formula_says) {
  for (const unsigned percent : {110U, 125U, 150U, 200U}) {
    Fleet fleet(1000);
    Balancer bounded({GetParam(), percent}, fleet.members, 1);
    Fleet other(1000);
    Balancer plain({GetParam()}, other.members, 1);
    Prng prng(2);
    std::deque<std::uint32_t> flying;
    int elsewhere = 0;
    constexpr std::uint64_t kWarmUp = 30'000;
    constexpr std::uint64_t kCounted = 20'000;
    for (std::uint64_t key = 0; key < kWarmUp + kCounted; ++key) {
      if (flying.size() == 10'000) {
        release(fleet.loads[flying.front()]);
        flying.pop_front();
      }
      const Question question{.hash = mix(key, 0)};
      const std::uint32_t primary = plain.pick(question, Instant{}, prng).index;
      flying.push_back(bounded.pick(question, Instant{}, prng).index);
      if (key >= kWarmUp) elsewhere += flying.back() != primary ? 1 : 0;
    }
    const std::uint32_t cap = (percent * 10 + 99) / 100;
    for (const Load& load : fleet.loads) ASSERT_LE(load.in_flight, cap);
    const double share = static_cast<double>(elsewhere) / kCounted;
    RecordProperty("elsewhere_bounded_" + std::to_string(percent), std::to_string(100 * share));
    EXPECT_NEAR(share, erlang_share_elsewhere(cap, 10), 0.02) << percent;
  }
}

TEST_P(Hash, without_a_key_draws_by_weight) {
  Fleet fleet{3, 1};
  Balancer balancer({GetParam()}, fleet.members, 1);
  Prng prng(1);
  for (int i = 0; i < 40'000; ++i) balancer.pick({}, Instant{}, prng);
  EXPECT_NEAR(fleet.loads[0].in_flight, 30'000.0, GetParam() == Algorithm::ring ? 3000 : 400);
}

INSTANTIATE_TEST_SUITE_P(Hash, Hash, testing::Values(Algorithm::maglev, Algorithm::ring),
                         [](const auto& test) { return test.param == Algorithm::maglev ? "maglev" : "ring"; });

}  // namespace
}  // namespace holdfast::balance
