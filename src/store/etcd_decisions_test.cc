// What the etcd engine decides without waiting: whom to ask, whom to believe, what a watch has delivered.
#include <gtest/gtest.h>

#include "store/etcd_base64.h"
#include "store/etcd_endpoints.h"
#include "store/etcd_follow.h"
#include "store/etcd_world.h"

namespace holdfast::store::etcd {
namespace {

Instant at(Duration since) { return Instant(1h) + since; }

TEST(EtcdEndpoints, keeps_the_one_that_works) {
  Endpoints endpoints(3);
  Prng prng(1);
  EXPECT_EQ(endpoints.choose(at(0s), {}), 0U);
  endpoints.worked(1, at(0s));
  EXPECT_EQ(endpoints.choose(at(0s), {}), 0U);
  endpoints.failed(0, at(0s), prng);
  EXPECT_EQ(endpoints.choose(at(0s), {}), 1U);
  endpoints.worked(1, at(0s));
  EXPECT_EQ(endpoints.choose(at(1h), {}), 1U);
  EXPECT_TRUE(endpoints.worked_since(1, at(0s)));
  EXPECT_FALSE(endpoints.worked_since(2, at(0s)));
}

TEST(EtcdEndpoints, avoids_what_it_is_told_to_if_there_is_another) {
  Endpoints endpoints(2);
  Prng prng(1);
  EXPECT_EQ(endpoints.choose(at(0s), {0}), 1U);
  endpoints.failed(1, at(0s), prng);
  EXPECT_EQ(endpoints.choose(at(0s), {0}), 1U);
  EXPECT_EQ(endpoints.choose(at(0s), {0, 1}), 0U);
  Endpoints alone(1);
  EXPECT_EQ(alone.choose(at(0s), {0}), 0U);
}

TEST(EtcdEndpoints, leaves_one_that_fails_alone_longer_each_time) {
  Endpoints endpoints(1);
  Prng prng(1);
  Duration before{};
  for (int i = 0; i < 20; ++i) {
    endpoints.failed(0, at(0s), prng);
    const Duration pause = endpoints.ready_at(0) - at(0s);
    EXPECT_GE(pause, std::min(Endpoints::kFirstPause * (1 << std::min(i, 10)), Endpoints::kLongestPause));
    EXPECT_LE(pause, Endpoints::kLongestPause * 5 / 4);
    EXPECT_GE(pause, before / 2);
    before = pause;
  }
  endpoints.worked(0, at(0s));
  EXPECT_LE(endpoints.ready_at(0), at(0s));
}

TEST(EtcdWorld, does_not_believe_what_comes_from_the_past) {
  World world;
  EXPECT_EQ(world.id(), 0U);
  EXPECT_TRUE(world.believe({7, 1, 10}, world.highest()));
  EXPECT_TRUE(world.believe({7, 2, 10}, world.highest()));
  EXPECT_FALSE(world.believe({7, 2, 9}, world.highest()));
  EXPECT_TRUE(world.believe({7, 2, 9}, 9)) << "asked when 9 was the highest";
  EXPECT_EQ(world.highest(), 10U);
  EXPECT_EQ(world.id(), 7U);
}

TEST(EtcdWorld, is_another_when_the_cluster_is_or_when_all_are_set_back) {
  World world;
  EXPECT_TRUE(world.believe({7, 1, 10}, 0));
  world.set_back({7, 1, 4});
  const std::uint64_t after = world.id();
  EXPECT_NE(after, 7U);
  EXPECT_TRUE(world.believe({7, 1, 5}, world.highest()));
  EXPECT_EQ(world.id(), after);
  EXPECT_TRUE(world.believe({8, 1, 1}, world.highest()));
  EXPECT_EQ(world.id(), 8U);
  EXPECT_EQ(world.highest(), 1U);
}

Event put(const std::string& key, Revision created, Revision modified) {
  return {Event::Kind::put, {"/p/" + key, "", created, modified, 0}};
}
Event erased(const std::string& key, Revision when) { return {Event::Kind::erased, {"/p/" + key, "", 0, when, 0}}; }

WatchAnswer told(std::vector<Event> events, Revision revision = 100) {
  WatchAnswer answer;
  answer.header = {7, 1, revision};
  answer.events = std::move(events);
  return answer;
}

using Kind = Follow::Step::Kind;

TEST(EtcdFollow, delivers_each_event_once_without_its_prefix) {
  Follow follow("/p/", 3, 5, 0);
  EXPECT_EQ(follow.next_revision(), 5U);
  Follow::Step step = follow.take(told({put("a", 5, 5), put("b", 5, 5), put("a", 5, 6)}));
  EXPECT_EQ(step.kind, Kind::deliver);
  EXPECT_EQ(step.batch.revision, 6U);
  ASSERT_EQ(step.batch.events.size(), 3U);
  EXPECT_EQ(step.batch.events[1].record.key, "b");
  EXPECT_EQ(follow.next_revision(), 7U);
  EXPECT_EQ(follow.take(told({put("a", 5, 5), put("b", 5, 5)})).kind, Kind::nothing);
  step = follow.take(told({put("a", 5, 6), put("c", 7, 7)}));
  ASSERT_EQ(step.batch.events.size(), 1U);
  EXPECT_EQ(step.batch.events[0].record.key, "c");
  EXPECT_EQ(follow.take(told({put("old", 2, 4)})).kind, Kind::nothing);
}

TEST(EtcdFollow, is_stale_when_an_event_comes_late_or_out_of_order) {
  Follow late("/p/", 3, 1, 7);
  EXPECT_EQ(late.take(told({put("a", 5, 5)})).kind, Kind::deliver);
  EXPECT_EQ(late.take(told({put("b", 4, 4)})).kind, Kind::stale);
  Follow disorder("/p/", 3, 1, 7);
  EXPECT_EQ(disorder.take(told({put("a", 6, 6), put("b", 5, 5)})).kind, Kind::stale);
  Follow progress("/p/", 3, 1, 7);
  EXPECT_EQ(progress.take(told({}, 9)).kind, Kind::deliver);
  EXPECT_EQ(progress.take(told({put("b", 8, 8)})).kind, Kind::stale);
}

TEST(EtcdFollow, goes_on_with_time_when_nothing_happens) {
  Follow follow("/p/", 3, 5, 7);
  WatchAnswer created = told({}, 20);
  created.created = true;
  EXPECT_EQ(follow.take(created).kind, Kind::nothing);
  EXPECT_EQ(follow.next_revision(), 5U);
  const Follow::Step step = follow.take(told({}, 20));
  EXPECT_EQ(step.kind, Kind::deliver);
  EXPECT_EQ(step.batch.revision, 20U);
  EXPECT_EQ(follow.take(told({}, 20)).kind, Kind::nothing);
  EXPECT_EQ(follow.next_revision(), 21U);
}

TEST(EtcdFollow, is_stale_when_compacted_or_in_another_cluster_and_reconnects_when_cancelled) {
  Follow follow("/p/", 3, 5, 7);
  WatchAnswer canceled = told({});
  canceled.canceled = true;
  EXPECT_EQ(follow.take(canceled).kind, Kind::reconnect);
  canceled.compacted = 9;
  EXPECT_EQ(follow.take(canceled).kind, Kind::stale);
  WatchAnswer other = told({});
  other.header.cluster = 8;
  EXPECT_EQ(follow.take(other).kind, Kind::stale);
}

TEST(EtcdFollow, notices_a_write_that_was_not_delivered) {
  Follow follow("/p/", 3, 5, 7);
  follow.begins_with(2);
  EXPECT_TRUE(follow.explains({9, 4, 2}));
  EXPECT_FALSE(follow.explains({9, 6, 3}));
  follow.take(told({put("c", 6, 6)}));
  EXPECT_TRUE(follow.explains({9, 6, 3}));
  follow.agree({9, 6, 3});
  EXPECT_FALSE(follow.explains({12, 11, 3}));
  follow.take(told({put("c", 6, 11)}));
  EXPECT_TRUE(follow.explains({12, 11, 3}));
}

TEST(EtcdFollow, notices_an_erase_that_was_not_delivered) {
  Follow follow("/p/", 3, 5, 7);
  follow.begins_with(2);
  EXPECT_FALSE(follow.explains({9, 4, 1}));
  follow.take(told({erased("a", 8)}));
  EXPECT_TRUE(follow.explains({9, 4, 1}));
  follow.agree({9, 4, 1});
  follow.take(told({put("d", 14, 14)}));
  EXPECT_TRUE(follow.explains({13, 4, 1})) << "what came after the question does not count";
  EXPECT_TRUE(follow.explains({14, 14, 2}));
  EXPECT_FALSE(follow.explains({14, 14, 1}));
}

TEST(EtcdFollow, believes_the_first_count_when_it_knows_none) {
  Follow follow("/p/", 3, 5, 7);
  EXPECT_TRUE(follow.explains({9, 4, 17}));
  follow.agree({9, 4, 17});
  EXPECT_FALSE(follow.explains({10, 4, 16}));
}

TEST(EtcdBase64, is_what_rfc4648_10_says) {
  const std::vector<std::pair<std::string, std::string>> pairs{{"", ""},
                                                               {"f", "Zg=="},
                                                               {"fo", "Zm8="},
                                                               {"foo", "Zm9v"},
                                                               {"foob", "Zm9vYg=="},
                                                               {"fooba", "Zm9vYmE="},
                                                               {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : pairs) {
    EXPECT_EQ(to_base64(bytes), text);
    EXPECT_EQ(from_base64(text), bytes);
  }
  for (const char* wrong : {"Zg=", "Zg", "Z===", "Zh==", "Zm9=", "Zm9v=", "Zm\n=", "Zg==Zg=="}) {
    EXPECT_EQ(from_base64(wrong), std::nullopt) << wrong;
  }
  EXPECT_EQ(to_base64(std::string("\0\xff\x80", 3)), "AP+A");
}

}  // namespace
}  // namespace holdfast::store::etcd
