#include "guard/keeper.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/hash.h"
#include "guard/kept.h"

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
  kept->circuit->set_slow_call(kept->settings.slow_call);
  kept->since_us = surroundings_.wall_us();
  if (session_ != nullptr) take_in(*kept, true);
  kept->edge.set_in_touch(is_in_touch_, loop_.now());
  return *kept;
}

std::shared_ptr<breaker::Circuit> Keeper::circuit(const std::string& name) { return make(name).circuit; }

void Keeper::follow(const std::vector<Wanted>& wanted) {
  for (auto& [name, kept] : kept_) kept->is_wanted = false;
  for (const Wanted& each : wanted) {
    Kept& kept = make(each.name);
    kept.is_wanted = true;
    kept.must_look = true;
    kept.from_file = each.settings;
    heed_settings(kept);
    // What was shared before a restart can go on only where it is known what is wanted.
    if (std::exchange(kept.is_new, false) && session_ != nullptr) take_in(kept, true);
  }
  for (auto each = kept_.begin(); each != kept_.end();) {
    const bool stays = each->second->is_wanted;
    // Calls that hold its circuit still may go on, and are refused nothing.
    if (!stays) each->second->circuit->gate().begin_generation(breaker::Gate::kAll);
    if (!stays && each->second->published) withdrawn_.insert(each->first);
    if (!stays) give_back(*each->second);
    each = stays ? std::next(each) : kept_.erase(each);
  }
  ++version_;
  is_told_ = false;
  wake_.notify();
}

void Keeper::heed_settings(Kept& kept) {
  breaker::Settings settings = kept.from_file;
  if (session_ != nullptr && kept.is_wanted) {
    const Posted& posted = session_->board().of(kept.name());
    if (posted.settings) settings = apply(*posted.settings, settings);
  }
  if (settings == kept.settings) return;
  kept.settings = settings;
  kept.must_look = true;
  kept.edge.set_settings(settings, loop_.now());
  kept.circuit->set_slow_call(settings.slow_call);
}

// ------------------------------------------------------------------------------------------------------ the look

io::Task<> Keeper::keep() {
  next_tick_ = loop_.now();
  look_again_ = next_tick_;
  while (!stop_.requested()) {
    co_await wake_.wait(std::min(next_tick_, look_again_));
    if (stop_.requested()) break;
    const Instant now = loop_.now();
    const bool is_late = now > next_tick_ + kLate;
    if (is_late) late_until_ = now + kLateMatters;
    learn(is_late);
    const bool is_tick = now >= next_tick_;
    if (is_tick) next_tick_ = now + kTick;
    look(is_tick);
    publish();
  }
}

void Keeper::look(bool at_all) {
  const Instant now = loop_.now();
  end_overrides(surroundings_.wall_us());
  look_again_ = kNever;
  for (auto& [name, kept] : kept_) {
    const bool is_due = kept->must_look || kept->plan.look_again <= now;
    if (is_due || (at_all && has_news(*kept))) look_at(*kept);
    look_again_ = std::min(look_again_, kept->plan.look_again);
  }
  if (at_all) doubt();
  // What wants to be looked at always is looked at each millisecond, not without end.
  look_again_ = std::max(look_again_, now + 1ms);
  if (!std::exchange(is_told_, true)) followers_.tell();
}

// Most breakers of many are idle most of the time.
bool Keeper::has_news(const Kept& kept) const {
  const breaker::Gate& gate = kept.circuit->gate();
  const breaker::Probes& before = kept.probes;
  return kept.hold || gate.probes_taken() != before.taken || gate.probes_well() != before.well ||
         gate.probes_failed() != before.failed || !(kept.circuit->tally() == kept.counted);
}

void Keeper::look_at(Kept& kept) {
  const Instant now = loop_.now();
  const breaker::Gate& gate = kept.circuit->gate();
  const breaker::Tally total = kept.circuit->tally();
  breaker::Tally calls = total;
  calls -= kept.counted;
  kept.counted = total;
  kept.recent.add(calls, now);
  kept.probes = {gate.probes_taken(), gate.probes_well(), gate.probes_failed()};
  kept.edge.observe(calls, kept.probes, now);
  heed_hold(kept);
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
  if (plan.any_probe) gate.let_any_probe();
  if (plan.offer_probes != 0) gate.offer_probes(plan.offer_probes);
  if (plan.has_tripped) ++kept.total;
  if (plan.happened) tell_own(kept, plan.happened->what + " here", plan.happened->why, "");
  note_version(kept);
  if (plan.proposal) propose(kept);
}

// What all edges say about us, and about all of them.
void Keeper::doubt() {
  const Instant now = loop_.now();
  Suspicion suspicion;
  for (auto& [name, kept] : kept_) {
    kept->recent.advance(now);
    const bool is_bad = kept->plan.vote.opinion == breaker::Opinion::bad;
    kept->is_unreachable = says_unreachable(kept->recent, kept->is_unreachable && is_bad);
    suspicion.add(kept->recent.sum(), kept->is_unreachable);
  }
  const bool has_lease = session_ == nullptr || session_->lease() != 0;
  const breaker::Self before = self_;
  self_.suspect = suspicion.suspects() || now < late_until_ || !has_lease;
  self_.voters = session_ == nullptr ? 1 : session_->voters();
  self_.may_open = !is_opening_ && trips_.may_open(kept_.size(), now);
  const bool is_other =
      self_.suspect != before.suspect || self_.voters != before.voters || self_.may_open != before.may_open;
  if (is_other) {
    for (auto& [name, kept] : kept_) kept->must_look = true;
  }
  if (!trips_.may_open(kept_.size(), now)) {
    if (!std::exchange(told_not_to_open_, true)) {
      say_("ALARM: more than " + std::to_string(Trips::kPercent) +
           " % of the breakers opened for all within seconds: no more are, each proxy goes by what it sees itself");
    }
  } else {
    told_not_to_open_ = false;
  }
}

// Of this process: what it does for itself, and what an operator told it without a store.
void Keeper::tell_own(const Kept& kept, const std::string& what, const std::string& why, const std::string& actor) {
  say_("breaker " + kept.name() + ": " + what + ": " + why);
  const std::string node = session_ == nullptr ? "this proxy" : "node " + session_->node();
  journal::Event event{0, surroundings_.wall_us(), "breaker " + kept.name(), what, why, actor.empty() ? node : actor};
  if (session_ == nullptr || !journal_.is_shared()) return journal_.append_local(std::move(event));
  if (own_events_.size() == kOwnEventsMax) own_events_.pop_front();
  own_events_.push_back(std::move(event));
}

void Keeper::stop() {
  stop_.request();
  wake_.notify();
  unshare();
}

io::Task<bool> Keeper::idle(Deadline deadline) {
  const bool ended = co_await tasks_.join(deadline);
  if (!ended) co_return false;
  const bool written = co_await journal_.idle(deadline);
  co_return written;
}

std::string Keeper::validate() const {
  for (const auto& [name, kept] : kept_) {
    if (std::string broken = kept->edge.validate(); !broken.empty()) return name + ": " + broken;
    if (kept->hold && session_ == nullptr) return name + ": nothing is held without a store";
    const bool flows = kept->settings.mode != breaker::Mode::enforce && !kept->override();
    if (flows && kept->circuit->gate().allowed() != breaker::Gate::kAll && !kept->must_look) {
      return name + ": what does not enforce lets all pass";
    }
  }
  return {};
}

}  // namespace holdfast::guard
