// The choices themselves: one function per algorithm, each ending in a claim on the shared Load of the chosen member.
#include <algorithm>
#include <array>
#include <cmath>

#include "balance/balancer.h"
#include "balance/mix.h"

namespace holdfast::balance {
namespace {

__extension__ using Wide = unsigned __int128;

/// Draws by weight before all members are looked at: with half of them out, one pick in 256 needs the look.
constexpr int kMaxDraws = 8;

/// Places a key is looked up at before the rest are ranked: with half of the members out, one pick in 2^32 needs that.
constexpr std::uint64_t kMaxRehashes = 32;

/// peak_ewma looks at every member up to this many; among more it takes the best of a sample, drawn by weight, because
/// a look costs some 15 ns (an exponential and a cache line of another loop's).
constexpr std::size_t kPeakEwmaScanned = 32;
constexpr std::size_t kPeakEwmaSample = 8;

bool contains(std::span<const std::uint32_t> indexes, std::uint32_t index) {
  return std::ranges::find(indexes, index) != indexes.end();
}

std::uint64_t in_flight(const Member& member) { return member.load->in_flight.load(std::memory_order_relaxed); }

/// A rank in (0, inf) for rendezvous hashing by weight. Source: Schindelhauer and Schomaker 2005, "logarithmic method".
double rendezvous_rank(std::uint64_t hash, std::uint64_t identity, std::uint32_t weight) {
  const double uniform = (static_cast<double>(mix(hash, identity) >> 11) + 0.5) * 0x1.0p-53;
  return static_cast<double>(weight) / -std::log(uniform);
}

}  // namespace

Pick Balancer::pick(const Question& question, Instant now, Prng& prng) {
  if (participants_.empty()) return {Outcome::nobody, 0};
  const std::span<const std::uint32_t> tried = question.tried;
  if (question.sticky && *question.sticky < members_.size() && takes_part(*question.sticky) &&
      !contains(tried, *question.sticky) && claim(*members_[*question.sticky].load)) {
    return {Outcome::picked, *question.sticky};
  }
  const Pick fresh = pick_among(question, tried, now, prng);
  if (fresh || tried.empty()) return fresh;
  return pick_among(question, {}, now, prng);
}

Pick Balancer::pick_among(const Question& question, Excluded excluded, Instant now, Prng& prng) {
  switch (policy_.algorithm) {
    case Algorithm::round_robin:
    case Algorithm::weighted_round_robin: return pick_in_turn(excluded);
    case Algorithm::least_connections: return pick_least(excluded);
    case Algorithm::two_choices: return pick_two_choices(excluded, prng);
    case Algorithm::peak_ewma: return pick_peak_ewma(excluded, now, prng);
    case Algorithm::random: return pick_random(excluded, prng);
    case Algorithm::maglev:
    case Algorithm::ring:
      // Without a key there is nothing to keep together, and a random one spreads by weight; bounds still hold.
      return pick_by_hash(question.hash ? *question.hash : prng.next(), excluded);
  }
  return {Outcome::nobody, 0};
}

Pick Balancer::pick_in_turn(Excluded excluded) {
  ++pick_number_;
  std::size_t refused = 0;
  // Every refusal costs a turn's pay, so sooner or later each member comes to the front and has been asked.
  while (refused < participants_.size()) {
    const std::uint32_t index = turns_.front();
    if (!contains(excluded, index) && claim(*members_[index].load)) {
      turns_.serve();
      return {Outcome::picked, index};
    }
    turns_.forgo();
    if (asked_[index] == pick_number_) continue;
    asked_[index] = pick_number_;
    ++refused;
  }
  return {Outcome::all_busy, 0};
}

Pick Balancer::pick_least(Excluded excluded) {
  const std::size_t count = participants_.size();
  while (true) {
    std::size_t best = count;
    std::uint64_t best_in_flight = 0;
    std::uint64_t best_weight = 1;
    std::size_t at = cursor_;
    for (std::size_t step = 0; step < count; ++step, at = at + 1 == count ? 0 : at + 1) {
      const std::uint32_t index = participants_[at];
      const std::uint64_t flying = in_flight(members_[index]);
      if (best != count && flying * best_weight >= best_in_flight * effective_[index]) continue;
      if (contains(excluded, index) || is_full(*members_[index].load)) continue;
      best = at;
      best_in_flight = flying;
      best_weight = effective_[index];
      if (flying == 0) break;  // nobody has less
    }
    if (best == count) return {Outcome::all_busy, 0};
    // Claimed only for the number that won: if another loop was quicker, somebody else may have the least now. Each
    // lost swap means that another loop got on, so the loops together never stall.
    if (!claim_if(*members_[participants_[best]].load, static_cast<std::uint32_t>(best_in_flight))) continue;
    cursor_ = best + 1 == count ? 0 : best + 1;
    return {Outcome::picked, participants_[best]};
  }
}

std::optional<std::uint32_t> Balancer::draw(Excluded excluded, std::optional<std::uint32_t> other, Prng& prng) const {
  const auto usable = [&](std::uint32_t index) {
    return index != other && !contains(excluded, index) && !is_full(*members_[index].load);
  };
  for (int i = 0; i < kMaxDraws; ++i) {
    const std::uint32_t index = participants_[sampler_.draw(prng)];
    if (usable(index)) return index;
  }
  std::uint64_t weight = 0;
  for (const std::uint32_t index : participants_) weight += usable(index) ? effective_[index] : 0;
  if (weight == 0) return std::nullopt;
  std::uint64_t left = prng.below(weight);
  std::optional<std::uint32_t> last;
  for (const std::uint32_t index : participants_) {
    if (!usable(index)) continue;
    last = index;
    if (left < effective_[index]) break;
    left -= effective_[index];
  }
  return last;  // other loops may have filled members meanwhile: then it is the last that had room, or none
}

Pick Balancer::pick_random(Excluded excluded, Prng& prng) {
  while (const std::optional<std::uint32_t> index = draw(excluded, std::nullopt, prng)) {
    if (claim(*members_[*index].load)) return {Outcome::picked, *index};
  }
  return {Outcome::all_busy, 0};
}

Pick Balancer::pick_two_choices(Excluded excluded, Prng& prng) {
  while (const std::optional<std::uint32_t> first = draw(excluded, std::nullopt, prng)) {
    // Distinct: the same member drawn twice would be plain random, half of the time with two members.
    const std::uint32_t second = draw(excluded, first, prng).value_or(*first);
    const std::uint64_t first_load = in_flight(members_[*first]) * effective_[second];
    const std::uint64_t second_load = in_flight(members_[second]) * effective_[*first];
    const std::uint32_t index = second_load < first_load ? second : *first;
    if (claim(*members_[index].load)) return {Outcome::picked, index};
  }
  return {Outcome::all_busy, 0};
}

std::optional<std::size_t> Balancer::cheapest(std::span<const std::uint32_t> candidates, std::size_t first,
                                              Excluded excluded, Instant now) const {
  const std::size_t count = candidates.size();
  std::optional<std::size_t> best;
  double best_cost = 0;
  for (std::size_t step = 0, at = first; step < count; ++step, at = at + 1 == count ? 0 : at + 1) {
    const Member& member = members_[candidates[at]];
    double latency_us = decayed_latency_us(*member.load, now);
    if (latency_us < 0) latency_us = welcome(*member.load, candidates, now);
    const double cost = latency_us * static_cast<double>(in_flight(member) + 1) / effective_[candidates[at]];
    if (best && cost >= best_cost) continue;
    if (contains(excluded, candidates[at]) || is_full(*member.load)) continue;
    best = at;
    best_cost = cost;
  }
  return best;
}

double Balancer::welcome(Load& newcomer, std::span<const std::uint32_t> candidates, Instant now) const {
  std::array<double, kPeakEwmaScanned> known;
  std::size_t count = 0;
  for (const std::uint32_t index : candidates) {
    const double latency_us = decayed_latency_us(*members_[index].load, now);
    if (latency_us >= 0) known[count++] = latency_us;
  }
  if (count == 0) return 1.0;  // nobody knows anything yet: all are the same
  const auto middle = known.begin() + static_cast<std::ptrdiff_t>(count / 2);
  std::nth_element(known.begin(), middle, known.begin() + static_cast<std::ptrdiff_t>(count));
  // A fleet that has just begun knows too little for a median, and the one it knows may be the bad one: the unknown
  // count as good as any, and each request in flight makes them dearer.
  if (2 * count < candidates.size()) return *std::min_element(known.begin(), middle + 1);
  // Noted rather than only used now: as it decays the newcomer's turn comes even in an idle fleet.
  assume(newcomer, *middle, now);
  return *middle;
}

Pick Balancer::pick_peak_ewma(Excluded excluded, Instant now, Prng& prng) {
  if (participants_.size() > kPeakEwmaScanned) {
    while (true) {
      std::array<std::uint32_t, kPeakEwmaSample> sample;
      for (std::uint32_t& candidate : sample) {
        const std::optional<std::uint32_t> index = draw(excluded, std::nullopt, prng);
        if (!index) return {Outcome::all_busy, 0};
        candidate = *index;
      }
      const std::optional<std::size_t> best = cheapest(sample, 0, excluded, now);
      if (best && claim(*members_[sample[*best]].load)) return {Outcome::picked, sample[*best]};
    }
  }
  while (const std::optional<std::size_t> best = cheapest(participants_, cursor_, excluded, now)) {
    if (!claim(*members_[participants_[*best]].load)) continue;
    cursor_ = *best + 1 == participants_.size() ? 0 : *best + 1;
    return {Outcome::picked, participants_[*best]};
  }
  return {Outcome::all_busy, 0};
}

std::uint64_t Balancer::total_in_flight() const {
  std::uint64_t total = 0;
  for (const std::uint32_t index : participants_) total += in_flight(members_[index]);
  return total;
}

bool Balancer::claim_within_bound(std::uint32_t index, std::uint64_t total) const {
  Load& load = *members_[index].load;
  if (policy_.bounded_percent == 0) return claim(load);
  // in_flight < ceil(x) just when in_flight < x, with x = bounded x (total + 1) x weight / all weights.
  const Wide bound = static_cast<Wide>(policy_.bounded_percent) * (total + 1) * effective_[index];
  while (!is_full(load)) {
    const std::uint32_t seen = load.in_flight.load(std::memory_order_relaxed);
    if (static_cast<Wide>(seen) * 100 * effective_total_ >= bound) return false;
    if (claim_if(load, seen)) return true;
  }
  return false;
}

Pick Balancer::pick_by_hash(std::uint64_t hash, Excluded excluded) {
  prepare();
  const std::uint64_t total = policy_.bounded_percent == 0 ? 0 : total_in_flight();
  std::uint64_t place = hash;
  for (std::uint64_t attempt = 0; attempt < kMaxRehashes; ++attempt, place = mix(hash, attempt)) {
    const std::uint32_t index = maglev_ ? maglev_->lookup(place) : ring_->lookup(place);
    // In slow start a member takes only some of its keys, and as its share grows each key comes to it once.
    const bool takes_key = (mix(hash, members_[index].identity) & 0xff) < shares_[index];
    if (takes_key && !contains(excluded, index) && claim_within_bound(index, total)) return {Outcome::picked, index};
  }
  return pick_by_rendezvous(hash, excluded, total);
}

Pick Balancer::pick_by_rendezvous(std::uint64_t hash, Excluded excluded, std::uint64_t total) {
  // Hardly anyone takes part: rank them all, which keeps the promise that only the keys of who left or came move.
  // A member that refuses has a rank at or above the next one's, so each round asks the best of those below.
  double below = INFINITY;
  while (true) {
    std::optional<std::uint32_t> best;
    double best_rank = 0;
    for (const std::uint32_t index : participants_) {
      const double rank = rendezvous_rank(hash, members_[index].identity, effective_[index]);
      if (rank <= best_rank || rank >= below || contains(excluded, index)) continue;
      best = index;
      best_rank = rank;
    }
    if (!best) return {Outcome::all_busy, 0};
    if (claim_within_bound(*best, total)) return {Outcome::picked, *best};
    below = best_rank;
  }
}

}  // namespace holdfast::balance
