#include "store/settle.h"

#include <deque>
#include <gtest/gtest.h>

#include "io/scope.h"

namespace holdfast::store {
namespace {

Transaction take_seat() { return {{Compare::absent("leader")}, {Write::put("leader", "a-17")}}; }

Outcome refused(std::vector<Record> found) { return {Outcome::Kind::refused, 9, std::move(found), {}}; }

TEST(Settle, needs_a_fence_that_its_own_put_breaks) {
  EXPECT_TRUE(can_be_settled(take_seat()));
  EXPECT_TRUE(can_be_settled({{Compare::modified("k", 3)}, {Write::put("k", "v")}}));
  EXPECT_FALSE(can_be_settled({{Compare::created("k", 3)}, {Write::put("k", "v")}})) << "it could be done twice";
  EXPECT_FALSE(can_be_settled({{Compare::absent("leader")}, {Write::put("other", "v")}}));
  EXPECT_FALSE(can_be_settled({{}, {Write::put("k", "v")}}));
}

TEST(Settle, our_own_value_under_the_key_means_it_was_done) {
  EXPECT_EQ(judge_refusal(take_seat(), refused({{"leader", "a-17", 8, 8, 0}})), Verdict::done_before);
  EXPECT_EQ(judge_refusal(take_seat(), refused({{"leader", "b-18", 8, 8, 0}})), Verdict::not_done);
  EXPECT_EQ(judge_refusal(take_seat(), refused({})), Verdict::not_done);
}

// Answers commits from a script.
class Scripted : public Store {
 public:
  std::deque<Result<Outcome>> answers;

  io::Task<Result<Outcome>> commit(Transaction, Deadline) override {
    Result<Outcome> answer = std::move(answers.front());
    answers.pop_front();
    co_return answer;
  }
  io::Task<Result<View>> read(std::string, Revision, Deadline) override { co_return View{}; }
  std::unique_ptr<Watch> watch(std::string, Revision) override { return nullptr; }
  io::Task<Result<LeaseTerm>> grant(Duration, Deadline) override { co_return LeaseTerm{}; }
  io::Task<Result<LeaseTerm>> keep_alive(LeaseId, Deadline) override { co_return LeaseTerm{}; }
  io::Task<Result<>> revoke(LeaseId, Deadline) override { co_return Result<>{}; }
  io::Task<Result<>> compact(Revision, Deadline) override { co_return Result<>{}; }
  io::Task<Result<StoreStatus>> status(Deadline) override { co_return StoreStatus{}; }
  io::Task<> close() override { co_return; }
};

io::Task<> settle_into(Ref<io::Loop> loop, Ref<Store> store, Deadline deadline, Result<Outcome>* outcome) {
  *outcome = co_await settle(loop, store, take_seat(), deadline);
  loop->stop();
}

Result<Outcome> settled(std::deque<Result<Outcome>> answers) {
  io::Loop loop;
  Scripted store;
  store.answers = std::move(answers);
  Result<Outcome> outcome;
  io::Scope tasks(loop);
  tasks.add(settle_into(loop, store, loop.now() + 60s, &outcome));
  loop.run();
  EXPECT_TRUE(store.answers.empty());
  return outcome;
}

const Outcome kUnknown{Outcome::Kind::unknown, 0, {}, "no answer"};

TEST(Settle, what_was_done_without_an_answer_counts_as_committed) {
  const Result<Outcome> outcome = settled({kUnknown, refused({{"leader", "a-17", 8, 8, 0}})});
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, Outcome::Kind::committed);
  EXPECT_EQ(outcome->revision, 8U);
}

TEST(Settle, what_was_never_done_is_done_by_the_next_try_or_refused) {
  const Result<Outcome> done = settled({kUnknown, Outcome{Outcome::Kind::committed, 10, {}, {}}});
  ASSERT_TRUE(done);
  EXPECT_EQ(done->kind, Outcome::Kind::committed);
  const Result<Outcome> lost = settled({kUnknown, refused({{"leader", "b-18", 8, 8, 0}})});
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->kind, Outcome::Kind::refused);
}

TEST(Settle, a_failure_after_an_unknown_outcome_settles_nothing) {
  const Result<Outcome> outcome =
      settled({kUnknown, fail(Code::refused, Side::store, "nobody listens"), refused({{"leader", "a-17", 8, 8, 0}})});
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, Outcome::Kind::committed);
}

TEST(Settle, a_failure_at_once_is_the_answer) {
  const Result<Outcome> outcome = settled({fail(Code::refused, Side::store, "nobody listens")});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::refused);
}

}  // namespace
}  // namespace holdfast::store
