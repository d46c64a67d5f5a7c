// Keeper: an operator's word.
#include <algorithm>
#include <utility>

#include "guard/keeper.h"
#include "guard/kept.h"
#include "guard/keys.h"
#include "store/settle.h"

namespace holdfast::guard {
namespace {

constexpr std::size_t kActorMax = 100;
constexpr std::size_t kReasonMax = 500;
constexpr Duration kLastingMax = 365 * 24h;
constexpr int kTriesMax = 5;
constexpr Duration kLookAgain = 10ms;
constexpr Duration kCopyTimeout = 1s;

std::unexpected<Error> invalid(std::string what) { return fail(Code::invalid, Side::client, std::move(what)); }

std::unexpected<Error> no_such(const std::string& name) {
  return fail(Code::missing, Side::client, "there is no breaker " + name);
}

Result<> check_words(breaker::State state, const std::string& actor, const std::string& reason,
                     const std::optional<Duration>& lasting) {
  if (state != breaker::State::open && state != breaker::State::closed) {
    return invalid("a breaker can be forced open or closed, nothing else");
  }
  if (actor.empty() || actor.size() > kActorMax) return invalid("say who it is that forces a breaker");
  if (reason.size() > kReasonMax) return invalid("the reason is longer than " + std::to_string(kReasonMax) + " bytes");
  if (lasting && (*lasting <= 0s || *lasting > kLastingMax)) return invalid("it lasts longer than 0 and up to a year");
  return {};
}

std::int64_t in_us(Duration duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

}  // namespace

io::Task<Result<>> Keeper::force(std::string name, breaker::State state, std::string actor, std::string reason,
                                 std::optional<Duration> lasting, Deadline deadline) {
  const Result<> words = check_words(state, actor, reason, lasting);
  if (!words) co_return words;
  if (stop_.requested()) co_return fail(Code::closed, Side::local, "this process is ending");
  Kept* kept = find(name);
  if (kept == nullptr) co_return no_such(name);
  OverrideView word{state, std::move(actor), std::move(reason), surroundings_.wall_us(), {}};
  if (lasting) word.until_us = word.since_us + in_us(*lasting);
  if (session_ != nullptr) {
    co_return co_await commit_word(session_, std::move(name), std::move(word), deadline);
  }
  const std::string what = state == breaker::State::open ? "forced open" : "forced closed";
  tell_own(*kept, what, word.reason, "operator " + word.actor);
  kept->local_override = std::move(word);
  kept->is_inherited = false;
  set_override(*kept, true);
  co_return Result<>{};
}

io::Task<Result<>> Keeper::release(std::string name, std::string actor, std::string reason, Deadline deadline) {
  const Result<> words = check_words(breaker::State::closed, actor, reason, std::nullopt);
  if (!words) co_return words;
  if (stop_.requested()) co_return fail(Code::closed, Side::local, "this process is ending");
  Kept* kept = find(name);
  if (kept == nullptr) co_return no_such(name);
  if (!kept->override()) co_return fail(Code::missing, Side::client, "nobody has forced the breaker " + name);
  if (kept->shared_override) {
    co_return co_await commit_release(session_, std::move(name), std::move(actor), std::move(reason), deadline);
  }
  kept->local_override.reset();
  kept->is_inherited = false;
  set_override(*kept, true);
  tell_own(*kept, "released", reason, "operator " + actor);
  co_return Result<>{};
}

// Who forces it at the same time as somebody else comes after him: the last word counts.
io::Task<Result<>> Keeper::commit_word(std::shared_ptr<Session> session, std::string name, OverrideView word,
                                       Deadline deadline) {
  if (!session->has_read()) co_return fail(Code::closed, Side::store, "the store was not reached yet");
  store::Revision modified = session->board().of(name).override_modified;
  store::Store& store = session->store();
  for (int tries = 0; tries < kTriesMax; ++tries) {
    store::Transaction transaction = make_force(name, word, modified, prng_);
    Result<store::Outcome> outcome = co_await store::settle(loop_, store, std::move(transaction), deadline);
    if (!outcome) co_return pass(outcome, "force " + name);
    if (outcome->kind == store::Outcome::Kind::committed) {
      journal_.appended();
      if (Kept* kept = find(name)) kept->local_override.reset();
      co_return Result<>{};
    }
    if (outcome->kind == store::Outcome::Kind::unknown) {
      session->doubt();
      co_return fail(Code::timed_out, Side::store, "it is not known whether it was done: " + outcome->why);
    }
    const auto there = std::ranges::find(outcome->found, override_key(name), &store::Record::key);
    modified = there == outcome->found.end() ? 0 : there->modified;
  }
  co_return fail(Code::stale, Side::store, "others force " + name + " at the same time");
}

io::Task<Result<>> Keeper::commit_release(std::shared_ptr<Session> session, std::string name, std::string actor,
                                          std::string reason, Deadline deadline) {
  if (!session->has_read()) co_return fail(Code::closed, Side::store, "the store was not reached yet");
  store::Store& store = session->store();
  io::Stop never;
  for (int tries = 0; tries < kTriesMax; ++tries) {
    const Posted& posted = session->board().of(name);
    if (posted.override_modified == 0) co_return Result<>{};  // somebody else was faster
    const Author author{session->node(), {loop_.now(), surroundings_.wall_us()}};
    const Kept* const kept = find(name);
    const bool is_shared = kept != nullptr && kept->settings.mode == breaker::Mode::enforce && kept->settings.shared;
    store::Transaction transaction = make_release(name, is_shared, actor, reason, posted, author, prng_);
    const bool can_settle = store::can_be_settled(transaction);
    Result<store::Outcome> outcome =
        fail(Code::internal, Side::local, "it was not asked");  // one await each, in one place each
    if (can_settle) {
      outcome = co_await store::settle(loop_, store, std::move(transaction), deadline);
    } else {
      outcome = co_await store.commit(std::move(transaction), deadline);
    }
    if (!outcome) co_return pass(outcome, "release " + name);
    if (outcome->kind == store::Outcome::Kind::committed) {
      journal_.appended();
      co_return Result<>{};
    }
    if (outcome->kind == store::Outcome::Kind::unknown) {
      session->doubt();
      co_return fail(Code::timed_out, Side::store, "it is not known whether it was done: " + outcome->why);
    }
    // Something else has changed: what we know of it comes with the copy.
    const Instant patience = std::min(deadline, loop_.now() + kCopyTimeout);
    while (session->revision() < outcome->revision && loop_.now() < patience) {
      co_await io::sleep_until(loop_, loop_.now() + kLookAgain, never);
    }
  }
  co_return fail(Code::stale, Side::store, "others change " + name + " at the same time");
}

// Who hears it as it is said counts by his own clock; who comes later takes what is left by the wall, never more than
// the whole.
void Keeper::set_override(Kept& kept, bool is_live) {
  const std::optional<OverrideView>& word = kept.override();
  std::optional<breaker::Override> override;
  if (word) {
    override.emplace(word->state, word->actor, word->reason);
    if (word->until_us) {
      const Duration whole = std::chrono::microseconds(*word->until_us - word->since_us);
      const Duration left = std::chrono::microseconds(*word->until_us - surroundings_.wall_us());
      override->until = loop_.now() + (is_live ? whole : std::clamp<Duration>(left, 0s, std::max<Duration>(whole, 0s)));
    }
  }
  kept.edge.set_override(std::move(override));
  kept.must_look = true;
  wake_.notify();
}

// Of this process only; those in the store end by a step that all share.
void Keeper::end_overrides(std::int64_t wall_us) {
  for (auto& [name, kept] : kept_) {
    const std::optional<OverrideView>& word = kept->local_override;
    if (!word || !word->until_us || *word->until_us > wall_us) continue;
    kept->local_override.reset();
    set_override(*kept, true);
    tell_own(*kept, "released", "its time is up", "");
  }
}

}  // namespace holdfast::guard
