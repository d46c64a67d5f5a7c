// Balancer: picks the endpoint for one request of one service. Start reading here.
//
// One per loop and service: its own state (turns, tables) is the loop's alone, and what the loops share is in each
// member's Load. A pick also claims: the member's in_flight has grown by one and never passes its limit; whoever
// picked must release(). Chance comes in as a Prng, time as `now`, so every choice replays.
//
// What all algorithms have in common:
//  - a member with share 0 (or weight 0) is never picked; no member taking part means Outcome::nobody;
//  - members tried before are avoided while any other has room; then they are taken again, rather than giving up;
//  - a sticky preference wins if that member takes part, was not tried and has room;
//  - everyone at the limit means Outcome::all_busy: the caller queues.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "balance/maglev.h"
#include "balance/member.h"
#include "balance/policy.h"
#include "balance/ring.h"
#include "balance/round_robin.h"
#include "balance/sampler.h"
#include "base/prng.h"
#include "base/time.h"

namespace holdfast::balance {

/// What the request brings to the choice.
struct Question {
  std::optional<std::uint64_t> hash{};     ///< of the hash key; without it a hashing balancer draws by weight
  std::span<const std::uint32_t> tried{};  ///< members this request has failed on already
  std::optional<std::uint32_t> sticky{};   ///< the member of the client's session
};

enum class Outcome : std::uint8_t {
  picked,    ///< `index` was chosen and its in_flight counts this request
  nobody,    ///< no member takes part
  all_busy,  ///< every member that takes part is at its limit (or at its bound)
};

struct Pick {
  Outcome outcome = Outcome::nobody;
  std::uint32_t index = 0;

  explicit operator bool() const { return outcome == Outcome::picked; }
  bool operator==(const Pick&) const = default;
};

class Balancer {
 public:
  /// All members take full part until set_shares says otherwise. `seed` gives the place in the turn to start from, so
  /// that many instances do not begin with the same endpoint; 0 starts at the first.
  /// Requires: at most kMaxMembers, weights at most kMaxWeight, no null load.
  Balancer(Policy policy, std::vector<Member> members, std::uint64_t seed);

  /// How much of its weight each member brings from now on. Costs O(n log n); call it when health changes.
  /// Requires: one share per member, none above kWholeShare.
  void set_shares(std::span<const std::uint16_t> shares);

  /// Chooses and claims. Never waits, never allocates (but see prepare()).
  Pick pick(const Question& question, Instant now, Prng& prng);

  /// Carries the state of the balancer before a reload over, by identity: shares, turns, and the hash table if the
  /// members are the same. Members new to it take full part.
  void adopt(const Balancer& predecessor);

  /// Builds the hash table now rather than at the first pick: milliseconds for 10 members, some 40 for a thousand. Only
  /// while no other thread uses this balancer.
  void prepare();

  std::span<const Member> members() const { return members_; }
  std::span<const std::uint16_t> shares() const { return shares_; }
  Policy policy() const { return policy_; }
  /// Where the member with that identity stands; none when it left. Linear.
  std::optional<std::uint32_t> index_of(std::uint64_t identity) const;

  /// Empty, or the invariant that is broken.
  std::string validate() const;
  /// "round_robin: 3 of 4 take part, in flight 2+0+1 of 256 each": one glance for a person.
  std::string describe() const;

 private:
  /// Members that are out of the question for one pick.
  using Excluded = std::span<const std::uint32_t>;

  Pick pick_among(const Question& question, Excluded excluded, Instant now, Prng& prng);
  Pick pick_in_turn(Excluded excluded);
  Pick pick_least(Excluded excluded);
  Pick pick_two_choices(Excluded excluded, Prng& prng);
  Pick pick_peak_ewma(Excluded excluded, Instant now, Prng& prng);
  Pick pick_random(Excluded excluded, Prng& prng);
  Pick pick_by_hash(std::uint64_t hash, Excluded excluded);
  Pick pick_by_rendezvous(std::uint64_t hash, Excluded excluded, std::uint64_t total);

  void apply_shares();
  bool takes_part(std::uint32_t index) const { return effective_[index] != 0; }
  /// A member by weight that has room, is not excluded and not `other`; none if there is none.
  std::optional<std::uint32_t> draw(Excluded excluded, std::optional<std::uint32_t> other, Prng& prng) const;
  /// The position of the lowest latency x in flight / weight, looking from `first` on; none if none has room.
  std::optional<std::size_t> cheapest(std::span<const std::uint32_t> candidates, std::size_t first, Excluded excluded,
                                      Instant now) const;
  /// Gives a newcomer the median latency of the candidates to start from: at 0 it would be flooded.
  double welcome(Load& newcomer, std::span<const std::uint32_t> candidates, Instant now) const;
  std::uint64_t total_in_flight() const;
  /// Claims unless that passes the limit, or the bound while `total` requests are in flight.
  bool claim_within_bound(std::uint32_t index, std::uint64_t total) const;

  Policy policy_;
  std::vector<Member> members_;
  std::vector<std::uint16_t> shares_;
  std::vector<std::uint32_t> effective_;     ///< weight x share, per member; 0: takes no part
  std::vector<std::uint32_t> participants_;  ///< those with an effective weight, in order
  std::uint64_t effective_total_ = 0;
  std::size_t cursor_ = 0;            ///< participants_: where a scan begins, so that ties go in turn
  std::vector<std::uint64_t> asked_;  ///< the pick that last found the member refusing its turn
  std::uint64_t pick_number_ = 0;
  RoundRobin turns_;
  Sampler sampler_;
  std::shared_ptr<const Maglev> maglev_;
  std::shared_ptr<const Ring> ring_;
};

}  // namespace holdfast::balance
