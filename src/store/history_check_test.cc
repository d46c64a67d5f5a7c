#include "store/history_check.h"

#include <functional>
#include <gtest/gtest.h>

namespace holdfast::store {
namespace {

Instant at(int second) { return Instant(std::chrono::seconds(second)); }

Event put(std::string key, std::string value, Revision created, Revision modified, LeaseId lease = 0) {
  return {Event::Kind::put, {std::move(key), std::move(value), created, modified, lease}};
}
Event erased(std::string key, Revision modified) { return {Event::Kind::erased, {std::move(key), "", 0, modified, 0}}; }

Outcome committed(Revision revision) { return {Outcome::Kind::committed, revision, {}, {}}; }
Outcome unknown() { return {Outcome::Kind::unknown, 0, {}, "cut"}; }

// Which call is which in the history below.
enum : std::size_t {
  kFirst,
  kGrant,
  kLeased,
  kRefused,
  kDone,
  kNeverDone,
  kRead,
  kErase,
  kEraseAgain,
  kCompact,
  kOld,
  kTooOld
};

// One of everything, all as it should be.
History good() {
  History history;
  history.world = 9;
  history.log = {put("a", "1", 2, 2), put("b", "2", 2, 2), put("c", "3", 3, 3, 7),
                 put("d", "4", 4, 4), erased("d", 5),      erased("c", 6)};
  const Record a = history.log[0].record;
  const Record b = history.log[1].record;
  const Record c = history.log[2].record;
  const Record d = history.log[3].record;
  const auto call = [&](int client, int began, int ended, auto what) {
    history.calls.push_back({client, at(began), at(ended), std::move(what)});
  };
  call(0, 1, 2, CommitSeen{{{}, {Write::put("a", "1"), Write::put("b", "2")}}, committed(2), {}});
  call(1, 1, 2, LeaseSeen{LeaseSeen::Kind::grant, 7, 10s, 18s, {}, at(20)});
  call(1, 3, 4, CommitSeen{{{Compare::modified("a", 2)}, {Write::put("c", "3", 7)}}, committed(3), {}});
  call(0, 5, 6,
       CommitSeen{{{Compare::absent("a")}, {Write::put("a", "6")}}, Outcome{Outcome::Kind::refused, 3, {a}, {}}, {}});
  call(2, 5, 7, CommitSeen{{{}, {Write::put("d", "4")}}, unknown(), {}});
  call(2, 5, 7, CommitSeen{{{}, {Write::put("e", "5")}}, unknown(), {}});
  call(0, 8, 9, ReadSeen{"", 0, View{9, 4, {a, b, c, d}}, {}});
  call(0, 10, 11, CommitSeen{{{Compare::exists("d")}, {Write::erase("d")}}, committed(5), {}});
  call(0, 12, 13, CommitSeen{{{}, {Write::erase("d")}}, committed(5), {}});
  call(0, 22, 23, CompactSeen{3, {}});
  call(0, 24, 25, ReadSeen{"", 3, View{9, 3, {a, b, c}}, {}});
  call(0, 24, 25, ReadSeen{"", 2, {}, Code::stale});
  history.watches = {
      {3,
       "",
       2,
       {{at(3), {2, {history.log[0], history.log[1]}}},
        {at(12), {5, {history.log[2], history.log[3], history.log[4]}}},
        {at(21), {6, {history.log[5]}}}},
       false,
       true},
      {3, "c", 3, {{at(5), {3, {history.log[2]}}}, {at(9), {4, {}}}, {at(22), {6, {history.log[5]}}}}, true, false},
  };
  return history;
}

CommitSeen& commit(History& history, std::size_t call) { return std::get<CommitSeen>(history.calls[call].what); }
ReadSeen& read(History& history, std::size_t call) { return std::get<ReadSeen>(history.calls[call].what); }
LeaseSeen& lease(History& history, std::size_t call) { return std::get<LeaseSeen>(history.calls[call].what); }

TEST(HistoryCheck, finds_nothing_in_a_good_history) { EXPECT_EQ(judge(good()), std::vector<std::string>{}); }

struct Forbidden {
  const char* name;
  std::function<void(History&)> change;
};

const std::vector<Forbidden>& forbidden() {
  static const std::vector<Forbidden> all = {
      {"commit_that_is_not_in_the_log", [](History& h) { commit(h, kFirst).transaction.writes[0].value = "9"; }},
      {"commit_with_another_revision", [](History& h) { commit(h, kFirst).outcome->revision = 3; }},
      {"commit_in_the_future", [](History& h) { commit(h, kFirst).outcome->revision = 60; }},
      {"commit_whose_compare_did_not_hold",
       [](History& h) { commit(h, kLeased).transaction.compares = {Compare::absent("a")}; }},
      {"commit_that_was_known_before_it_began",
       [](History& h) { h.calls[kFirst].began = at(5), h.calls[kFirst].ended = at(6); }},
      {"commit_that_failed_and_was_done", [](History& h) { commit(h, kFirst).outcome.reset(); }},
      {"two_commits_of_one_revision", [](History& h) { h.calls.push_back(h.calls[kFirst]); }},
      {"refused_although_all_compares_hold",
       [](History& h) { commit(h, kRefused).transaction.compares = {Compare::exists("a")}; }},
      {"refused_at_a_revision_long_past", [](History& h) { commit(h, kRefused).outcome->revision = 2; }},
      {"refused_with_too_little_found", [](History& h) { commit(h, kRefused).outcome->found.clear(); }},
      {"refused_with_a_wrong_value", [](History& h) { commit(h, kRefused).outcome->found[0].value = "0"; }},
      {"unknown_that_was_done_before_it_began",
       [](History& h) { h.calls[kDone].began = at(10), h.calls[kDone].ended = at(11); }},
      {"unknown_that_did_something_else",
       [](History& h) { commit(h, kDone).transaction.writes.push_back(Write::put("f", "7")); }},
      {"unknown_whose_compare_did_not_hold",
       [](History& h) { commit(h, kDone).transaction.compares = {Compare::exists("z")}; }},
      {"revision_that_nobody_made", [](History& h) { commit(h, kDone).transaction.writes[0].value = "8"; }},
      {"erasure_that_nobody_did",
       [](History& h) {
         commit(h, kErase).outcome.reset();
         commit(h, kEraseAgain).outcome.reset();
       }},
      {"value_put_twice", [](History& h) { h.log.push_back(put("a", "1", 2, 7)); }},
      {"hole_in_the_log", [](History& h) { h.log.push_back(put("a", "77", 2, 8)); }},
      {"wrong_created_in_the_log", [](History& h) { h.log[2].record.created = 2; }},
      {"erased_what_was_not_there", [](History& h) { h.log.push_back(erased("z", 7)); }},
      {"read_with_a_record_too_few", [](History& h) { read(h, kRead).view->records.pop_back(); }},
      {"read_with_an_old_value", [](History& h) { read(h, kRead).view->records[0].value = "0"; }},
      {"read_of_an_old_revision",
       [](History& h) { read(h, kRead).view = View{9, 2, {h.log[0].record, h.log[1].record}}; }},
      {"read_of_another_world", [](History& h) { read(h, kRead).view->world = 8; }},
      {"read_at_a_revision_that_answers_for_another", [](History& h) { read(h, kOld).at = 4; }},
      {"read_of_what_was_compacted",
       [](History& h) { read(h, kTooOld).view = View{9, 2, {h.log[0].record, h.log[1].record}}; }},
      {"stale_read_that_nobody_compacted", [](History& h) { read(h, kTooOld).at = 4; }},
      {"lease_shorter_than_asked_for", [](History& h) { lease(h, kGrant).ttl = 9s; }},
      {"lease_that_ended_before_its_term", [](History& h) { lease(h, kGrant).lives_until = at(30); }},
      {"lease_that_a_keep_alive_misses_too_early",
       [](History& h) {
         h.calls.push_back({1, at(8), at(9), LeaseSeen{LeaseSeen::Kind::keep_alive, 7, {}, {}, Code::missing, {}}});
       }},
      {"lease_that_leaves_a_record",
       [](History& h) {
         h.log.insert(h.log.begin() + 3, put("cc", "33", 3, 3, 7));
         commit(h, kLeased).transaction.writes.push_back(Write::put("cc", "33", 7));
         h.watches.clear();
         read(h, kRead).view->records.insert(read(h, kRead).view->records.begin() + 3, h.log[3].record);
         read(h, kOld).view->records.push_back(h.log[3].record);
       }},
      {"put_with_a_lease_that_has_ended",
       [](History& h) {
         h.log.push_back(put("f", "8", 7, 7, 7));
         h.calls.push_back({1, at(30), at(31), CommitSeen{{{}, {Write::put("f", "8", 7)}}, committed(7), {}}});
         h.watches.clear();
       }},
      {"watch_without_an_event", [](History& h) { h.watches[0].deliveries[1].batch.events.pop_back(); }},
      {"watch_with_a_gap", [](History& h) { h.watches[0].deliveries.erase(h.watches[0].deliveries.begin() + 1); }},
      {"watch_that_repeats", [](History& h) { h.watches[0].deliveries.push_back(h.watches[0].deliveries.back()); }},
      {"watch_that_goes_back", [](History& h) { std::swap(h.watches[0].deliveries[0], h.watches[0].deliveries[2]); }},
      {"watch_that_splits_a_transaction",
       [](History& h) {
         auto& deliveries = h.watches[0].deliveries;
         deliveries.insert(deliveries.begin() + 1, {at(3), {2, {deliveries[0].batch.events.back()}}});
         deliveries[0].batch.events.pop_back();
       }},
      {"watch_that_mixes_up_the_order",
       [](History& h) {
         std::swap(h.watches[0].deliveries[1].batch.events[0], h.watches[0].deliveries[1].batch.events[1]);
       }},
      {"watch_that_misses_its_first_revision",
       [](History& h) { h.watches[1].deliveries.erase(h.watches[1].deliveries.begin()); }},
      {"watch_that_tells_what_is_not_its_concern", [](History& h) { h.watches[1].prefix = "cc"; }},
      {"watch_with_an_event_that_never_was",
       [](History& h) { h.watches[0].deliveries[0].batch.events[0].record.value = "0"; }},
      {"watch_that_ends_in_silence", [](History& h) { h.watches[0].deliveries.pop_back(); }},
      {"watch_that_is_ahead_of_what_is_read_later", [](History& h) { h.watches[0].deliveries[1].at = at(7); }},
  };
  return all;
}

class ForbiddenHistory : public testing::TestWithParam<std::size_t> {};

TEST_P(ForbiddenHistory, is_found_out) {
  History history = good();
  forbidden()[GetParam()].change(history);
  EXPECT_FALSE(judge(history).empty());
}

INSTANTIATE_TEST_SUITE_P(HistoryCheck, ForbiddenHistory, testing::Range(std::size_t{0}, forbidden().size()),
                         [](const auto& each) { return std::string(forbidden()[each.param].name); });

TEST(HistoryCheck, allows_a_lease_to_end_early_when_somebody_revokes_it) {
  History history = good();
  lease(history, kGrant).lives_until = at(30);
  history.calls.push_back({1, at(18), at(19), LeaseSeen{LeaseSeen::Kind::revoke, 7, {}, {}, Code::timed_out, {}}});
  EXPECT_EQ(judge(history), std::vector<std::string>{});
}

TEST(HistoryCheck, allows_a_false_revoke_only_where_the_world_does_that) {
  History history = good();
  lease(history, kGrant).lives_until = at(30);
  EXPECT_FALSE(judge(history).empty());
  EXPECT_EQ(judge(history, {.false_revoke = true}), std::vector<std::string>{});
}

TEST(HistoryCheck, lets_each_unknown_erasure_explain_only_one_revision) {
  const auto erase_all = [] { return CommitSeen{{{}, {Write::erase_prefix("a")}}, unknown(), {}}; };
  History history;
  history.log = {put("a", "1", 2, 2), erased("a", 3), put("a", "2", 4, 4), erased("a", 5)};
  history.calls = {{0, at(1), at(2), CommitSeen{{{}, {Write::put("a", "1")}}, committed(2), {}}},
                   {0, at(5), at(6), CommitSeen{{{}, {Write::put("a", "2")}}, committed(4), {}}},
                   {1, at(3), at(4), erase_all()}};
  EXPECT_EQ(judge(history).size(), 1U);
  history.calls.push_back({1, at(3), at(4), erase_all()});
  EXPECT_EQ(judge(history), std::vector<std::string>{});
  history.calls.back().began = at(7);  // which fits only the second
  EXPECT_EQ(judge(history), std::vector<std::string>{});
}

TEST(HistoryCheck, tells_an_erasure_from_one_that_came_right_after_it) {
  History history;
  history.log = {put("a", "1", 2, 2), erased("a", 3)};
  history.calls = {{0, at(1), at(2), CommitSeen{{{}, {Write::put("a", "1")}}, committed(2), {}}},
                   {1, at(3), at(5), CommitSeen{{{}, {Write::erase("a")}}, committed(3), {}}},
                   {0, at(3), at(6), CommitSeen{{{Compare::exists("a")}, {Write::erase("a")}}, committed(3), {}}}};
  EXPECT_EQ(judge(history), std::vector<std::string>{});
  history.calls[1] = history.calls[2];
  EXPECT_FALSE(judge(history).empty());  // it was there for only one of them
}

}  // namespace
}  // namespace holdfast::store
