#include "guard/keeper.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "guard/kept.h"
#include "guard/session.h"

namespace holdfast::guard {
namespace {

constexpr Duration kTick = 50ms;

std::uint64_t seed_of(const Surroundings& surroundings, Instant now) {
  if (surroundings.seed != 0) return surroundings.seed;
  const auto wall = static_cast<std::uint64_t>(surroundings.wall_us());
  return wall ^ (static_cast<std::uint64_t>(now.time_since_epoch().count()) << 20);
}

}  // namespace

Keeper::Keeper(io::Loop& control, unsigned loops, Say say, Surroundings surroundings)
    : loop_(control),
      loops_(loops),
      say_(std::move(say)),
      surroundings_(std::move(surroundings)),
      prng_(seed_of(surroundings_, control.now())),
      journal_(control, say_),
      wake_(control),
      tasks_(control) {
  tasks_.add(keep());
}

Keeper::~Keeper() = default;

// ------------------------------------------------------------------------------------------------ which there are

Kept* Keeper::find(std::string_view name) {
  const auto found = kept_.find(name);
  return found == kept_.end() ? nullptr : found->second.get();
}

Kept& Keeper::make(const std::string& name) {
  std::unique_ptr<Kept>& kept = kept_[name];
  if (kept != nullptr) return *kept;
  kept = std::make_unique<Kept>(name, loops_, loop_.now(), hash64(name, prng_.next()));
  kept->circuit->set_slow_call(kept->from_file.slow_call);
  kept->since_us = surroundings_.wall_us();
  return *kept;
}

std::shared_ptr<breaker::Circuit> Keeper::circuit(const std::string& name) { return make(name).circuit; }

void Keeper::follow(const std::vector<Wanted>& wanted) {
  for (auto& [name, kept] : kept_) kept->is_wanted = false;
  for (const Wanted& each : wanted) {
    Kept& kept = make(each.name);
    kept.is_wanted = true;
    kept.must_look = true;
    if (kept.from_file == each.settings) continue;
    kept.from_file = each.settings;
    kept.edge.set_settings(each.settings, loop_.now());
    kept.circuit->set_slow_call(each.settings.slow_call);
  }
  for (auto each = kept_.begin(); each != kept_.end();) {
    if (!each->second->is_wanted) end(*each->second);
    each = each->second->is_wanted ? std::next(each) : kept_.erase(each);
  }
  ++version_;
  is_told_ = false;
  wake_.notify();
}

// Calls that hold its circuit still may go on, and are refused nothing.
void Keeper::end(Kept& kept) { kept.circuit->gate().begin_generation(breaker::Gate::kAll); }

// ------------------------------------------------------------------------------------------------------ the look

io::Task<> Keeper::keep() {
  next_tick_ = loop_.now();
  look_again_ = next_tick_;
  while (!stop_.requested()) {
    co_await wake_.wait(std::min(next_tick_, look_again_));
    if (stop_.requested()) break;
    const bool is_tick = loop_.now() >= next_tick_;
    if (is_tick) next_tick_ = loop_.now() + kTick;
    look(is_tick);
  }
}

void Keeper::look(bool at_all) {
  const Instant now = loop_.now();
  end_overrides(surroundings_.wall_us());
  look_again_ = kNever;
  for (auto& [name, kept] : kept_) {
    if (at_all || kept->must_look || kept->plan.look_again <= now) look_at(*kept);
    look_again_ = std::min(look_again_, kept->plan.look_again);
  }
  // Whoever wants to be looked at always is looked at each millisecond, not without end.
  look_again_ = std::max(look_again_, now + 1ms);
  if (!std::exchange(is_told_, true)) followers_.tell();
}

void Keeper::look_at(Kept& kept) {
  const Instant now = loop_.now();
  const breaker::Gate& gate = kept.circuit->gate();
  const breaker::Tally total = kept.circuit->tally();
  breaker::Tally calls = total;
  calls -= kept.counted;
  kept.counted = total;
  kept.recent.add(calls, now);
  const breaker::Probes probes{gate.probes_taken(), gate.probes_well(), gate.probes_failed()};
  kept.edge.observe(calls, probes, now);
  kept.plan = kept.edge.decide(self_, now);
  kept.must_look = false;
  carry_out(kept);
}

void Keeper::carry_out(Kept& kept) {
  const breaker::Plan& plan = kept.plan;
  breaker::Gate& gate = kept.circuit->gate();
  if (plan.new_generation) {
    gate.begin_generation(plan.allowed_permille);
    kept.counted = kept.circuit->tally();
  } else if (gate.allowed() != plan.allowed_permille) {
    gate.set_allowed(plan.allowed_permille);
  }
  if (plan.offer_probes != 0) gate.offer_probes(plan.offer_probes);
  if (plan.happened) {
    tell_local(kept, plan.happened->what, plan.happened->why, "node " + (std::string("here")));
  }
  note_version(kept);
}

void Keeper::tell_local(const Kept& kept, const std::string& what, const std::string& why, const std::string& actor) {
  say_("breaker " + kept.name() + ": " + what + ": " + why);
  journal_.append_local({0, surroundings_.wall_us(), "breaker " + kept.name(), what, why, actor});
}

// What stands in the store is obeyed when session.h can read it; until then each breaker is this process's own.
void Keeper::share(Sharing) {}

void Keeper::unshare() { session_.reset(); }

void Keeper::stop() {
  stop_.request();
  wake_.notify();
}

io::Task<bool> Keeper::idle(Deadline deadline) {
  const bool ended = co_await tasks_.join(deadline);
  if (!ended) co_return false;
  const bool written = co_await journal_.idle(deadline);
  co_return written;
}

}  // namespace holdfast::guard
