#include "balance/balancer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

namespace holdfast::balance {

Balancer::Balancer(Policy policy, std::vector<Member> members, std::uint64_t seed)
    : policy_(policy), members_(std::move(members)) {
  const std::vector<std::uint16_t> whole(members_.size(), kWholeShare);
  set_shares(whole);
  if (seed != 0) {
    round_robin_.skip(seed);
    if (!members_.empty()) turn_ = seed % members_.size();
  }
  std::vector<HashTable::Entry> entries;
  entries.reserve(members_.size());
  for (const Member& member : members_) entries.push_back({member.identity, member.weight});
  if (policy_.kind == Policy::Kind::maglev) table_.build_maglev(entries);
  if (policy_.kind == Policy::Kind::ring) table_.build_ring(entries);
}

void Balancer::set_shares(std::span<const std::uint16_t> shares) {
  check(shares.size() == members_.size(), "one share per member");
  weights_.resize(members_.size());
  taking_part_.clear();
  total_weight_ = 0;
  for (std::uint32_t i = 0; i < members_.size(); ++i) {
    weights_[i] = members_[i].weight * shares[i];
    total_weight_ += weights_[i];
    if (weights_[i] != 0) taking_part_.push_back(i);
  }
  round_robin_.set_weights(weights_);
}

void Balancer::adopt(const Balancer& predecessor) {
  std::unordered_map<std::uint64_t, std::int64_t> gained;
  for (std::size_t i = 0; i < predecessor.members_.size(); ++i) {
    gained.emplace(predecessor.members_[i].identity, predecessor.round_robin_.gained()[i]);
  }
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const auto found = gained.find(members_[i].identity);
    if (found != gained.end()) round_robin_.set_gained(i, found->second);
  }
  turn_ = members_.empty() ? 0 : predecessor.turn_ % members_.size();
}

bool Balancer::usable(std::size_t index, const Question& question) const {
  return weights_[index] != 0 &&
         std::find(question.tried.begin(), question.tried.end(), index) == question.tried.end();
}

bool Balancer::claim_member(std::size_t index) { return claim(*members_[index].load); }

Pick Balancer::pick(const Question& question, Prng& prng) {
  if (question.prefer && *question.prefer < members_.size() && usable(*question.prefer, question) &&
      claim_member(*question.prefer)) {
    return {Outcome::picked, *question.prefer};
  }
  std::optional<std::size_t> picked;
  switch (policy_.kind) {
    case Policy::Kind::round_robin: picked = pick_round_robin(question); break;
    case Policy::Kind::least_connections:
    case Policy::Kind::peak_ewma: picked = pick_least_loaded(question); break;
    case Policy::Kind::two_choices: picked = pick_two_choices(question, prng); break;
    case Policy::Kind::random: picked = pick_random(question, prng); break;
    case Policy::Kind::maglev:
    case Policy::Kind::ring: picked = pick_by_hash(question); break;
  }
  if (picked) return {Outcome::picked, *picked};
  const bool busy = std::ranges::any_of(taking_part_, [&](std::uint32_t i) { return usable(i, question); });
  return {busy ? Outcome::all_busy : Outcome::nobody, 0};
}

std::optional<std::size_t> Balancer::pick_round_robin(const Question& question) {
  // A member that fills up between the look and the claim is seen as full by the next round of the loop.
  for (std::size_t round = 0; round <= members_.size(); ++round) {
    const int next =
        round_robin_.next([&](std::size_t i) { return usable(i, question) && !members_[i].load->full(); });
    if (next < 0) return std::nullopt;
    if (claim_member(static_cast<std::size_t>(next))) return static_cast<std::size_t>(next);
  }
  return std::nullopt;
}

// Lower is better: requests over weight, times the decayed latency for peak_ewma.
double Balancer::cost(std::size_t index, std::uint32_t in_flight) const {
  return (in_flight + 1.0) / weights_[index];
}

std::int64_t Balancer::mean_latency_ns() const {
  std::int64_t sum = 0;
  std::int64_t known = 0;
  for (const std::uint32_t i : taking_part_) {
    const std::int64_t latency = members_[i].load->latency_ns.load(std::memory_order_relaxed);
    sum += latency;
    known += latency != 0 ? 1 : 0;
  }
  return known == 0 ? 1 : std::max<std::int64_t>(sum / known, 1);
}

// Exact across threads: the claim holds only if nobody changed the number that was the smallest.
std::optional<std::size_t> Balancer::pick_least_loaded(const Question& question) {
  const bool by_latency = policy_.kind == Policy::Kind::peak_ewma;
  const std::int64_t newcomer = by_latency ? mean_latency_ns() : 1;
  constexpr int kRescans = 1000;
  for (int scan = 0; scan < kRescans; ++scan) {
    std::optional<std::size_t> best;
    double best_cost = std::numeric_limits<double>::infinity();
    std::uint32_t best_seen = 0;
    const std::size_t n = taking_part_.size();
    for (std::size_t step = 0; step < n; ++step) {
      const std::size_t i = taking_part_[(turn_ + step) % n];
      Load& load = *members_[i].load;
      const std::uint32_t seen = load.in_flight.load(std::memory_order_relaxed);
      const std::uint32_t limit = load.limit.load(std::memory_order_relaxed);
      double here = (by_latency ? seen + 1.0 : seen) / weights_[i];
      if (by_latency) {
        const std::int64_t latency = load.latency_ns.load(std::memory_order_relaxed);
        here *= static_cast<double>(latency == 0 ? newcomer : latency);
      }
      if (here >= best_cost || (limit != 0 && seen >= limit) || !usable(i, question)) continue;
      best = i;
      best_cost = here;
      best_seen = seen;
    }
    if (!best) return std::nullopt;
    if (!claim_exactly(*members_[*best].load, best_seen)) continue;
    ++turn_;
    return best;
  }
  return std::nullopt;
}

std::optional<std::size_t> Balancer::pick_two_choices(const Question& question, Prng& prng) {
  std::vector<std::uint32_t> few;
  std::span<const std::uint32_t> from = taking_part_;
  const bool plain = question.tried.empty() && std::ranges::none_of(from, [&](std::uint32_t i) {
    return members_[i].load->full();
  });
  if (!plain) {
    for (const std::uint32_t i : taking_part_) {
      if (usable(i, question) && !members_[i].load->full()) few.push_back(i);
    }
    from = few;
  }
  if (from.empty()) return std::nullopt;
  std::size_t a = from[prng.below(from.size())];
  if (from.size() > 1) {
    // Two different ones: the same one twice would be no choice.
    std::size_t b = from[prng.below(from.size() - 1)];
    if (b == a) b = from.back();
    const double cost_a = cost(a, members_[a].load->in_flight.load(std::memory_order_relaxed));
    const double cost_b = cost(b, members_[b].load->in_flight.load(std::memory_order_relaxed));
    if (cost_b < cost_a) std::swap(a, b);
    if (claim_member(a)) return a;
    a = b;
  }
  if (claim_member(a)) return a;
  return std::nullopt;
}

std::optional<std::size_t> Balancer::pick_random(const Question& question, Prng& prng) {
  std::uint64_t weight = 0;
  for (const std::uint32_t i : taking_part_) {
    if (usable(i, question) && !members_[i].load->full()) weight += weights_[i];
  }
  if (weight == 0) return std::nullopt;
  std::uint64_t drawn = prng.below(weight);
  for (const std::uint32_t i : taking_part_) {
    if (!usable(i, question) || members_[i].load->full()) continue;
    if (drawn < weights_[i]) return claim_member(i) ? std::optional<std::size_t>(i) : std::nullopt;
    drawn -= weights_[i];
  }
  return std::nullopt;
}

// ceil(c x fair part of all requests in flight, this one included): Mirrokni, Thorup, Zadimoghaddam 2016.
std::uint32_t Balancer::bound_of(std::size_t index) const {
  std::uint64_t in_flight = 1;
  for (const std::uint32_t i : taking_part_) {
    in_flight += members_[i].load->in_flight.load(std::memory_order_relaxed);
  }
  const double fair = static_cast<double>(in_flight) * weights_[index] / static_cast<double>(total_weight_);
  return static_cast<std::uint32_t>(std::ceil(policy_.bound * fair));
}

std::optional<std::size_t> Balancer::pick_by_hash(const Question& question) {
  if (taking_part_.empty() || !table_.built()) return std::nullopt;
  const std::uint64_t key = question.hash.value_or(0);
  const auto take = [&](std::size_t i) {
    if (!usable(i, question)) return false;
    if (policy_.bound > 0 && members_[i].load->in_flight.load(std::memory_order_relaxed) >= bound_of(i)) return false;
    return claim_member(i);
  };
  constexpr std::uint32_t kAttempts = 64;
  for (std::uint32_t attempt = 0; attempt < kAttempts; ++attempt) {
    const std::size_t i = table_.member(key, attempt);
    if (take(i)) return i;
  }
  // Nearly everybody is out: from here on the order matters less than finding the one who is not.
  for (std::size_t step = 0; step < taking_part_.size(); ++step) {
    const std::size_t i = taking_part_[(key + step) % taking_part_.size()];
    if (take(i)) return i;
  }
  return std::nullopt;
}

}  // namespace holdfast::balance
