// Keeper: how its breakers are, for people.
#include <algorithm>
#include <utility>

#include "guard/keeper.h"
#include "guard/kept.h"

namespace holdfast::guard {

bool Keeper::in_touch() const { return session_ != nullptr && session_->in_touch(); }

View Keeper::view_of(const Kept& kept) const {
  const breaker::Plan& plan = kept.plan;
  View view;
  view.name = kept.name();
  view.state = plan.state;
  view.allowed = plan.allowed_permille / static_cast<double>(breaker::Gate::kAll);
  view.mode = kept.settings.mode;
  view.override = kept.override();
  view.reason = plan.reason;
  view.since_us = kept.since_us;
  view.trips = plan.trips;
  view.epoch = plan.epoch;
  view.shared = plan.forced ? kept.shared_override.has_value() : plan.shared;
  view.total = kept.total;
  view.settings = kept.edge.settings();
  return view;
}

// Since when is told by the wall clock of the moment in which it was noticed: it does not creep with that clock.
void Keeper::note_version(Kept& kept) {
  View now = view_of(kept);
  now.since_us = kept.shown.since_us;
  if (now == kept.shown) return;
  const bool is_another_state =
      now.state != kept.shown.state || now.epoch != kept.shown.epoch || now.shared != kept.shown.shared;
  if (is_another_state) {
    const Duration age = std::max<Duration>(0s, loop_.now() - std::min(kept.plan.since, loop_.now()));
    const bool is_known = kept.plan.since != Instant{};
    const auto age_us = std::chrono::duration_cast<std::chrono::microseconds>(age).count();
    kept.since_us = surroundings_.wall_us() - (is_known ? age_us : 0);
  }
  now.since_us = kept.since_us;
  kept.shown = std::move(now);
  ++version_;
  is_told_ = false;
}

std::vector<View> Keeper::view() const {
  std::vector<View> all;
  all.reserve(kept_.size());
  for (const auto& [name, kept] : kept_) {
    if (std::optional<View> each = view(name)) all.push_back(std::move(*each));
  }
  return all;
}

std::optional<View> Keeper::view(const std::string& name) const {
  const auto found = kept_.find(name);
  if (found == kept_.end()) return std::nullopt;
  const Kept& kept = *found->second;
  View view = view_of(kept);
  view.window = {kept.plan.vote.calls, kept.plan.vote.failures, 0, kept.plan.vote.slow, 0};
  view.refused = kept.circuit->tally().refused;
  view.in_flight = kept.circuit->in_flight();
  return view;
}

}  // namespace holdfast::guard
