#include "store/settle.h"

#include <algorithm>

#include "base/check.h"
#include "io/stop.h"

namespace holdfast::store {
namespace {

constexpr Duration kTry = 2s;       // what an engine needs for a leader's election
constexpr Duration kBreath = 50ms;  // before it is asked again

// A put ends what these ask for. `created` it does not: such a transaction could be done twice.
bool is_fence(const Compare& compare) {
  return compare.kind == Compare::Kind::absent || compare.kind == Compare::Kind::modified;
}

const Write* find_fenced_put(const Transaction& transaction) {
  for (const Write& write : transaction.writes) {
    if (write.kind != Write::Kind::put) continue;
    const bool fenced = std::ranges::any_of(
        transaction.compares, [&](const Compare& compare) { return is_fence(compare) && compare.key == write.key; });
    if (fenced) return &write;
  }
  return nullptr;
}

}  // namespace

bool can_be_settled(const Transaction& transaction) { return find_fenced_put(transaction) != nullptr; }

Verdict judge_refusal(const Transaction& transaction, const Outcome& refused) {
  const Write* put = find_fenced_put(transaction);
  check(put != nullptr, "a transaction that is settled has a fence on a key that it puts");
  const bool ours = std::ranges::any_of(
      refused.found, [put](const Record& record) { return record.key == put->key && record.value == put->value; });
  return ours ? Verdict::done_before : Verdict::not_done;
}

io::Task<Result<Outcome>> settle(Ref<io::Loop> loop, Ref<Store> store, Transaction transaction, Deadline deadline) {
  bool uncertain = false;  // an earlier try may have been done
  io::Stop never;
  while (true) {
    const Deadline until = std::min(deadline, loop->now() + kTry);
    Transaction same = transaction;
    Result<Outcome> outcome = co_await store->commit(std::move(same), until);
    if (!outcome && !uncertain) co_return outcome;
    if (outcome && outcome->kind == Outcome::Kind::committed) co_return outcome;
    if (outcome && outcome->kind == Outcome::Kind::refused) {
      if (uncertain && judge_refusal(transaction, *outcome) == Verdict::done_before) {
        const auto ours = std::ranges::find(outcome->found, find_fenced_put(transaction)->key, &Record::key);
        outcome->kind = Outcome::Kind::committed;
        outcome->revision = ours->modified;
        outcome->found.clear();
      }
      co_return outcome;
    }
    if (outcome) uncertain = true;
    if (loop->now() + kBreath >= deadline) {
      const std::string why = outcome ? outcome->why : outcome.error().what;
      co_return Outcome{Outcome::Kind::unknown, 0, {}, why};
    }
    co_await io::sleep_until(loop, loop->now() + kBreath, never);
  }
}

}  // namespace holdfast::store
