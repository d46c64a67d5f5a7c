// Group: who of a service's endpoints takes part, and why. Start reading here.
//
// One per service, owned by the control thread alone. Observations and the time come in, shares come out (256 = whole).
// What counts against an endpoint, strongest first:
//   draining   the operator (or a removal) wants it empty; it never takes part
//   unhealthy  active checks failed `unhealthy_threshold` times in a row; `healthy_threshold` successes bring it back
//   ejected    real requests failed: `consecutive_failures` in a row, or one refused connection
// An endpoint is healthy until proven otherwise, so a restart of ours takes nobody out; but one that has never passed a
// check falls at the first failed one (both as HAProxy does it).
//
// An ejection is a suspicion, not a proof, and is fenced: never more than `max_ejected` (but one is always allowed),
// and never the last healthy endpoint. Backups take part only while no primary does. If nobody is healthy, the ejected
// that pass their checks are asked; if there are none of those either, `all_down` decides. Its default is to try them
// all: checks that fail everywhere at once usually tell of a broken check, and a refused request is lost for certain.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace holdfast::health {

/// Full part. The same number as balance::kWholeShare, which lies on a floor of its own.
inline constexpr std::uint16_t kWholeShare = 256;
/// Slow start begins with a tenth and climbs in this many steps: each step costs every loop a set_shares.
inline constexpr std::uint16_t kSlowStartFloor = 26;
inline constexpr unsigned kSlowStartSteps = 20;
/// How often an ejected endpoint is asked whether it listens. Two of these, with their jitter, fit into half a second:
/// in that time a server that was killed is back in use after it listens again, even if it must pass two checks first.
inline constexpr Duration kRecoveryInterval = 200ms;

/// Ejections in a row beyond this many do not lengthen the next one (max_time usually ends the growth before).
inline constexpr unsigned kMaxEjectionFactor = 100;

enum class State : std::uint8_t { healthy, unhealthy, ejected, draining };
enum class AllDown : std::uint8_t { try_all, fail };

std::string_view to_string(State state);

/// The configuration's words and defaults: `health_check`, `outlier_ejection`, `slow_start`, `all_down`.
struct Rules {
  unsigned healthy_threshold = 2;
  unsigned unhealthy_threshold = 3;
  bool outlier_ejection = true;
  unsigned consecutive_failures = 5;
  Duration base_time = 5s;  ///< times the number of ejections in a row …
  Duration max_time = 60s;  ///< … but never more than this
  unsigned max_ejected_percent = 50;
  Duration slow_start = 0s;  ///< 0s: full weight at once
  AllDown all_down = AllDown::try_all;
};

struct Endpoint {
  std::uint64_t identity = 0;  ///< stable across reloads
  bool backup = false;
};

/// What is shown of one endpoint.
struct Member {
  State state = State::healthy;
  std::string why;  ///< of the last change: "3 checks failed in a row", "connection refused", …
  Instant since{};  ///< of the last change of state
};

class Group {
 public:
  /// All healthy, at full share (slow start is for those who join later), by their position in `endpoints`.
  Group(const Rules& rules, std::vector<Endpoint> endpoints, Instant now);

  // Observations. Each returns whether shares or states changed. One that changes nothing costs next to nothing, so a
  // thousand checks a second do; what time alone changes is tick()'s.

  /// An active check ended.
  bool on_check(std::uint32_t index, bool ok, Instant now);
  /// A request could not connect. Ejects at once, within the fence, and asks for recovery probes.
  bool on_connect_failure(std::uint32_t index, Instant now);
  /// `count` requests in a row have failed.
  bool on_consecutive_failures(std::uint32_t index, std::uint32_t count, Instant now);
  /// A recovery probe (a connection, nothing more) ended: the first success brings back at once who was ejected because
  /// it could not be connected to. Of who failed requests it proves nothing.
  bool on_recovery_probe(std::uint32_t index, bool ok, Instant now);
  /// A probe found that nobody listens there. Whoever was ejected for failed requests is known to be down now, and is
  /// back as soon as it listens: it fails what was in flight when it is killed, and must not serve a sentence for that.
  void on_refusal(std::uint32_t index);
  /// The operator empties an endpoint, or takes it back.
  bool drain(std::uint32_t index, bool draining, Instant now);
  /// Time passed: ejections end, slow starts climb.
  bool tick(Instant now);

  /// Takes over health, ejections and counters from the group before a reload, by identity. Endpoints new to it join
  /// with a slow start.
  void adopt(const Group& predecessor, Instant now);

  // Answers.

  /// How much of its weight each endpoint brings, in the order of the endpoints.
  std::span<const std::uint16_t> shares() const { return shares_; }
  std::span<const Member> members() const { return members_; }
  std::span<const Endpoint> endpoints() const { return endpoints_; }
  /// When tick() must be called next; kNever when nothing is pending.
  Instant next_wake() const;
  /// Whether to connect to it every kRecoveryInterval (see CheckSchedule) and report to on_recovery_probe.
  bool wants_recovery_probe(std::uint32_t index) const;
  /// No endpoint is healthy: shares are a last resort.
  bool all_down() const { return all_down_; }
  /// How many endpoints may be ejected at once.
  std::uint32_t max_ejected() const;

  /// Empty, or the invariant that is broken.
  std::string validate() const;
  /// One line per endpoint for a person.
  std::string describe() const;

 private:
  enum class Cause : std::uint8_t { none, failures, connect };

  /// The evidence on one endpoint; the state in Member follows from it.
  struct Evidence {
    bool draining = false;
    bool passes_checks = true;
    bool proven = false;  ///< has passed a check, or failed the first
    unsigned passed = 0;  ///< checks in a row
    unsigned failed = 0;
    Cause ejected_for = Cause::none;
    Instant ejected_until{};
    unsigned ejections = 0;  ///< in a row: forgotten after max_time of good behaviour
    Instant returned_at{};
    bool climbing = false;  ///< in slow start since `joined_at`
    Instant joined_at{};
  };

  std::uint32_t ejected() const;
  bool eject(std::uint32_t index, Cause cause, std::string why, Instant now);
  void end_ejection(Evidence& evidence, Instant now);
  void join(Evidence& evidence, Instant now) const;
  std::uint16_t share_of(const Evidence& evidence, Instant now) const;
  Instant next_step(const Evidence& evidence) const;
  bool is_healthy(std::uint32_t index) const { return state_of(evidence_[index]) == State::healthy; }
  static State state_of(const Evidence& evidence);
  /// Puts states, reasons and shares in line with the evidence.
  bool settle(std::uint32_t index, std::string why, Instant now);
  bool settle_shares(Instant now);

  Rules rules_;
  std::vector<Endpoint> endpoints_;
  std::vector<Evidence> evidence_;
  std::vector<Member> members_;
  std::vector<std::uint16_t> shares_;
  Instant now_{};  ///< of the last observation: shares are as of then
  bool all_down_ = false;
};

}  // namespace holdfast::health
