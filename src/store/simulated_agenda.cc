#include "store/simulated_agenda.h"

#include <utility>

#include "io/loop.h"

namespace holdfast::store {

void Agenda::plan(Instant when, std::move_only_function<void()> happen) {
  plans_.emplace(when, std::move(happen));
  loop_->timers().schedule(alarm_, plans_.begin()->first);
}

void Agenda::plan_in(Duration pause, std::move_only_function<void()> happen) {
  plan(loop_->now() + pause, std::move(happen));
}

void Agenda::carry_out() {
  while (!plans_.empty() && plans_.begin()->first <= loop_->now()) {
    auto plan = plans_.extract(plans_.begin());
    plan.mapped()();
  }
  if (!plans_.empty()) loop_->timers().schedule(alarm_, plans_.begin()->first);
}

}  // namespace holdfast::store
