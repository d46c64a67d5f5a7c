// The state of a balancer: shares, what follows from them, and what survives a reload. The choices: pick.cc.
#include "balance/balancer.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace holdfast::balance {
namespace {

/// The longest way into its turn a balancer starts; a cycle is rarely longer, and a start costs at most a millisecond.
constexpr std::uint64_t kMaxStartTurns = 16'384;

bool same_table(std::span<const Member> a, std::span<const Member> b) {
  return std::ranges::equal(
      a, b, [](const Member& x, const Member& y) { return x.identity == y.identity && x.weight == y.weight; });
}

}  // namespace

std::string_view to_string(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::round_robin: return "round_robin";
    case Algorithm::weighted_round_robin: return "weighted_round_robin";
    case Algorithm::least_connections: return "least_connections";
    case Algorithm::two_choices: return "two_choices";
    case Algorithm::peak_ewma: return "peak_ewma";
    case Algorithm::random: return "random";
    case Algorithm::maglev: return "hash maglev";
    case Algorithm::ring: return "hash ring";
  }
  return "unknown";
}

Balancer::Balancer(Policy policy, std::vector<Member> members, std::uint64_t seed)
    : policy_(policy), members_(std::move(members)), shares_(members_.size(), kWholeShare), asked_(members_.size(), 0) {
  check(members_.size() <= kMaxMembers, "a balancer has at most kMaxMembers");
  for (const Member& member : members_) {
    check(member.weight <= kMaxWeight, "a weight is at most kMaxWeight");
    check(member.load != nullptr, "every member has a load");
  }
  apply_shares();
  if (seed == 0 || participants_.empty()) return;
  Prng prng(seed);
  cursor_ = static_cast<std::size_t>(prng.below(participants_.size()));
  if (!turns_.empty()) turns_.skip(prng.below(std::min(turns_.cycle(), kMaxStartTurns)));
}

void Balancer::set_shares(std::span<const std::uint16_t> shares) {
  check(shares.size() == members_.size(), "one share per member");
  for (const std::uint16_t share : shares) check(share <= kWholeShare, "a share is at most the whole");
  if (std::ranges::equal(shares, shares_)) return;
  shares_.assign(shares.begin(), shares.end());
  apply_shares();
}

void Balancer::apply_shares() {
  // The scan goes on where it was, whoever joined or left before that place.
  const std::uint32_t next = participants_.empty() ? 0 : participants_[cursor_];
  effective_.resize(members_.size());
  participants_.clear();
  effective_total_ = 0;
  std::vector<std::uint32_t> weights;
  for (std::uint32_t i = 0; i < members_.size(); ++i) {
    effective_[i] = members_[i].weight * shares_[i];
    effective_total_ += effective_[i];
    if (effective_[i] == 0) continue;
    participants_.push_back(i);
    weights.push_back(effective_[i]);
  }
  const auto at = std::ranges::lower_bound(participants_, next);
  cursor_ = at == participants_.end() ? 0 : static_cast<std::size_t>(at - participants_.begin());
  if (policy_.algorithm == Algorithm::round_robin || policy_.algorithm == Algorithm::weighted_round_robin) {
    turns_.set_weights(effective_);
  } else if (policy_.algorithm != Algorithm::least_connections) {
    sampler_.set_weights(weights);
  }
}

void Balancer::adopt(const Balancer& predecessor) {
  using Known = std::pair<std::uint64_t, std::uint32_t>;
  std::vector<Known> known;
  for (std::uint32_t i = 0; i < predecessor.members_.size(); ++i) {
    known.emplace_back(predecessor.members_[i].identity, i);
  }
  std::ranges::sort(known);
  const auto find = [&](std::uint64_t identity) {
    const auto at = std::ranges::lower_bound(known, Known{identity, 0});
    return at != known.end() && at->first == identity ? std::optional(at->second) : std::nullopt;
  };

  const std::vector<double> owed_before = predecessor.turns_.owed();
  std::vector<double> owed(members_.size(), 0.0);
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const std::optional<std::uint32_t> before = find(members_[i].identity);
    shares_[i] = before ? predecessor.shares_[*before] : kWholeShare;
    if (before && *before < owed_before.size()) owed[i] = owed_before[*before];
  }
  apply_shares();
  if (!turns_.empty()) turns_.set_owed(owed);
  if (!predecessor.participants_.empty()) {
    const std::uint32_t next = predecessor.participants_[predecessor.cursor_];
    const std::optional<std::uint32_t> here = index_of(predecessor.members_[next].identity);
    const auto at = here ? std::ranges::find(participants_, *here) : participants_.end();
    if (at != participants_.end()) cursor_ = static_cast<std::size_t>(at - participants_.begin());
  }
  if (same_table(members_, predecessor.members_)) {
    if (policy_.algorithm == Algorithm::maglev) maglev_ = predecessor.maglev_;
    if (policy_.algorithm == Algorithm::ring) ring_ = predecessor.ring_;
  }
}

void Balancer::prepare() {
  if (policy_.algorithm == Algorithm::maglev && !maglev_) maglev_ = std::make_shared<const Maglev>(members_);
  if (policy_.algorithm == Algorithm::ring && !ring_) ring_ = std::make_shared<const Ring>(members_);
}

std::optional<std::uint32_t> Balancer::index_of(std::uint64_t identity) const {
  const auto at = std::ranges::find(members_, identity, &Member::identity);
  if (at == members_.end()) return std::nullopt;
  return static_cast<std::uint32_t>(at - members_.begin());
}

std::string Balancer::validate() const {
  std::uint64_t total = 0;
  std::size_t taking_part = 0;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (effective_[i] != members_[i].weight * shares_[i]) return "an effective weight is weight x share";
    total += effective_[i];
    if (effective_[i] != 0) ++taking_part;
  }
  if (total != effective_total_) return "the total is the sum of the effective weights";
  if (taking_part != participants_.size()) return "participants are those with an effective weight";
  if (cursor_ != 0 && cursor_ >= participants_.size()) return "the scan begins at a participant";
  return turns_.validate();
}

std::string Balancer::describe() const {
  std::string text{to_string(policy_.algorithm)};
  text += ": " + std::to_string(participants_.size()) + " of " + std::to_string(members_.size()) + " take part";
  for (std::size_t i = 0; i < members_.size(); ++i) {
    text += i == 0 ? "; in flight/weight x share:" : "";
    text += " " + std::to_string(members_[i].load->in_flight.load(std::memory_order_relaxed)) + "/" +
            std::to_string(members_[i].weight) + "x" + std::to_string(shares_[i]);
  }
  return text;
}

}  // namespace holdfast::balance
