// Agenda: what will happen in a simulated world, in order of time; what is due at the same instant happens in the
// order in which it was planned.
#pragma once

#include <functional>
#include <map>

#include "base/pinned.h"
#include "base/time.h"
#include "io/timer_wheel.h"

namespace holdfast::io {
class Loop;
}

namespace holdfast::store {

class Agenda : Pinned {
 public:
  explicit Agenda(io::Loop& loop) : alarm_(*this), loop_(&loop) {}

  void plan(Instant when, std::move_only_function<void()> happen);
  void plan_in(Duration pause, std::move_only_function<void()> happen);

 private:
  struct Alarm : io::Timer {
    explicit Alarm(Agenda& agenda_) : Timer(&Agenda::due), agenda(&agenda_) {}
    Agenda* agenda;
  };

  static void due(io::Timer& timer) { static_cast<Alarm&>(timer).agenda->carry_out(); }
  void carry_out();

  Alarm alarm_;
  io::Loop* loop_;
  std::multimap<Instant, std::move_only_function<void()>> plans_;
};

}  // namespace holdfast::store
