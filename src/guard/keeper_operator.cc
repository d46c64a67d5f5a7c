// Keeper: an operator's word.
#include <utility>

#include "guard/keeper.h"
#include "guard/kept.h"
#include "guard/session.h"

namespace holdfast::guard {
namespace {

constexpr std::size_t kReasonMax = 500;

Result<> check_words(breaker::State state, const std::string& actor, const std::string& reason) {
  if (state != breaker::State::open && state != breaker::State::closed) {
    return fail(Code::invalid, Side::client, "a breaker can be forced open or closed, nothing else");
  }
  if (actor.empty()) return fail(Code::invalid, Side::client, "say who it is that forces a breaker");
  if (reason.size() > kReasonMax) {
    return fail(Code::invalid, Side::client, "the reason is longer than " + std::to_string(kReasonMax) + " bytes");
  }
  return {};
}

std::int64_t in_us(Duration duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

}  // namespace

io::Task<Result<>> Keeper::force(std::string name, breaker::State state, std::string actor, std::string reason,
                                 std::optional<Duration> lasting, Deadline) {
  const Result<> words = check_words(state, actor, reason);
  if (!words) co_return words;
  Kept* kept = find(name);
  if (kept == nullptr) co_return fail(Code::missing, Side::client, "there is no breaker " + name);
  const std::int64_t now_us = surroundings_.wall_us();
  OverrideView override{state, actor, reason, now_us, {}};
  if (lasting) override.until_us = now_us + in_us(*lasting);
  kept->local_override = std::move(override);
  set_override(*kept);
  const std::string what = state == breaker::State::open ? "forced open" : "forced closed";
  tell_local(*kept, what, reason, "operator " + actor);
  co_return Result<>{};
}

io::Task<Result<>> Keeper::release(std::string name, std::string actor, std::string reason, Deadline) {
  Kept* kept = find(name);
  if (kept == nullptr) co_return fail(Code::missing, Side::client, "there is no breaker " + name);
  if (!kept->override()) co_return fail(Code::missing, Side::client, "nobody has forced the breaker " + name);
  kept->local_override.reset();
  set_override(*kept);
  tell_local(*kept, "released", reason, "operator " + actor);
  co_return Result<>{};
}

void Keeper::set_override(Kept& kept) {
  const std::optional<OverrideView>& word = kept.override();
  std::optional<breaker::Override> override;
  if (word) {
    override.emplace(word->state, word->actor, word->reason);
    if (word->until_us) {
      const auto left = std::chrono::microseconds(*word->until_us - surroundings_.wall_us());
      override->until = loop_.now() + std::max<Duration>(left, 0s);
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
    set_override(*kept);
    tell_local(*kept, "released", "the time that was set for it is up", "node");
  }
}

}  // namespace holdfast::guard
