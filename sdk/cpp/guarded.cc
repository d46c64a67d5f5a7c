#include "guarded.h"

#include <algorithm>
#include <utility>

namespace holdfast::sdk {
namespace {

/// Twice as long for each trip in a row, as breaker::trip() has it, by chance a fifth more, as far as we know. After
/// failed probes it may be longer, which nobody tells us: at worst we find out with a call too many.
Duration open_for(const Report& report) {
  Duration lasts = report.settings.open_for;
  for (unsigned i = 1; i < report.trips && lasts < report.settings.max_open_for; ++i) lasts *= 2;
  lasts = std::min(lasts, report.settings.max_open_for);
  return lasts + lasts / 5;
}

breaker::Settings off() {
  breaker::Settings settings;
  settings.mode = breaker::Mode::off;
  return settings;
}

}  // namespace

Guarded::Guarded(const std::string& name, Instant now, std::uint64_t seed)
    : circuit_(name, kShards), edge_(name, off(), now, seed) {
  for (Shard& shard : shards_) shard.prng = Prng(++seed);
}

unsigned Guarded::this_shard() {
  static std::atomic<unsigned> next = 0;
  thread_local const unsigned mine = next.fetch_add(1, std::memory_order_relaxed) % kShards;
  return mine;
}

bool Guarded::begin(breaker::Call& call, unsigned shard, bool harmless, Instant now) {
  const std::lock_guard guard(shards_[shard].lock);
  breaker::Meter& meter = circuit_.meter(shard);
  const breaker::Admission admission = circuit_.gate().admit(harmless, shards_[shard].prng);
  if (admission.passed) {
    meter.begin(call, admission, now);
  } else {
    meter.count_refusal();
  }
  return admission.passed;
}

void Guarded::end(breaker::Call& call, unsigned shard, breaker::Outcome outcome, Instant now) {
  const std::lock_guard guard(shards_[shard].lock);
  circuit_.meter(shard).end(call, outcome, now);
}

void Guarded::cancel(breaker::Call& call, unsigned shard) {
  const std::lock_guard guard(shards_[shard].lock);
  call.~Call();
}

void Guarded::hear(const std::optional<Report>& report, Instant now, std::int64_t wall_us) {
  const std::optional<Report> before = std::exchange(report_, report);
  is_known_.store(report.has_value(), std::memory_order_relaxed);
  const breaker::Settings settings = report ? report->settings : off();
  circuit_.set_slow_call(settings.slow_call);
  edge_.set_settings(settings, now);
  if (!report) {  // nor does what was said of it hold any more
    edge_.set_override(std::nullopt);
    edge_.set_shared(std::nullopt, now);
    return;
  }
  if (report->forced) {
    breaker::Override word{report->forced->state, report->forced->actor, report->forced->reason};
    if (report->forced->until_us) {
      word.until = now + std::chrono::microseconds(std::max<std::int64_t>(*report->forced->until_us - wall_us, 0));
    }
    if (!before || before->forced != report->forced) edge_.set_override(std::move(word));
  } else {
    edge_.set_override(std::nullopt);
  }
  if (report->forced || report->state == breaker::State::closed) {
    edge_.set_shared(std::nullopt, now);
    return;
  }
  const bool is_same = before && !before->forced && before->state == report->state && before->trips == report->trips &&
                       before->since_us == report->since_us;
  if (is_same) return;
  // Clocks of machines differ: it began neither in the future nor before an hour ago.
  const Duration age = std::chrono::microseconds(wall_us - report->since_us);
  since_ = now - std::clamp<Duration>(age, 0s, 1h);
  breaker::Standing standing{.state = report->state, .epoch = ++epoch_, .since = since_, .open_for = open_for(*report)};
  standing.trips = report->trips;
  standing.reason = report->reason;
  edge_.set_shared(std::move(standing), now);
}

// Whoever opened it for all also probes it, but only where calls come by. Where none does any more, it would stay open
// for ever: after its longest time, and once again, we find out ourselves.
bool Guarded::is_forgotten(Instant now) const {
  if (!report_ || report_->state == breaker::State::closed || report_->state == breaker::State::ramp) return false;
  return now - since_ > 2 * report_->settings.max_open_for;
}

void Guarded::look(Instant now) {
  for (unsigned i = 0; i < kShards; ++i) {
    const std::lock_guard guard(shards_[i].lock);
    circuit_.meter(i).look_for_slow(now);
  }
  const breaker::Tally total = circuit_.tally();
  breaker::Tally calls = total;
  calls -= counted_;
  counted_ = total;
  breaker::Gate& gate = circuit_.gate();
  const bool in_touch = in_touch_ && !is_forgotten(now);
  edge_.set_in_touch(in_touch, now);
  edge_.set_prober(in_touch, false);  // proxies probe for all
  edge_.observe(calls, {gate.probes_taken(), gate.probes_well(), gate.probes_failed()}, now);
  const breaker::Plan plan = edge_.decide({}, now);
  if (plan.new_generation) {
    gate.begin_generation(plan.allowed_permille);
    counted_ = circuit_.tally();
  } else if (gate.allowed() != plan.allowed_permille) {
    gate.set_allowed(plan.allowed_permille);
  }
  if (plan.offer_probes != 0) gate.offer_probes(plan.offer_probes);
  if (plan.any_probe) gate.let_any_probe();
  allowed_.store(plan.allowed_permille, std::memory_order_relaxed);
  const std::lock_guard guard(words_lock_);
  words_ = std::string(breaker::to_string(plan.state)) + (plan.reason.empty() ? "" : ": " + plan.reason);
}

std::string Guarded::describe() const {
  const std::lock_guard guard(words_lock_);
  return words_;
}

}  // namespace holdfast::sdk
