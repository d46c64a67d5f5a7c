// Edge: all that one proxy knows of one breaker, and what follows from it. Start reading at decide().
//
// Two standings meet here. The proxy's own: it trips on what this proxy sees, at once, and refuses only this proxy's
// calls. And the shared one, in the store: it trips when enough proxies say so (vote.h), has one prober, and everyone
// obeys it. While the shared one is not closed the own one rests; an operator's override stands above both.
//
// When the store cannot be reached, what was shared goes on as the proxy's own from where it stands: an open breaker
// stays open for the rest of its time, is then probed by each proxy for itself, and ramps up. Nothing opens or closes
// because the store has died. When it is back, what each has learned meanwhile counts until the shared standing takes
// its next step; who has closed for himself proposes to close for all.
// Source: research on shared breakers, section 4 (docs/decisions/0007).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/prng.h"
#include "breaker/gate.h"
#include "breaker/judge.h"
#include "breaker/probe_run.h"
#include "breaker/standing.h"
#include "breaker/vote.h"
#include "breaker/window.h"

namespace holdfast::breaker {

/// An operator's word. It holds until he takes it back, or until its time is up. It stands above the mode too: who says
/// "open" at night means it.
struct Override {
  State state = State::closed;  ///< open or closed
  std::string actor{};
  std::string reason{};
  std::optional<Instant> until{};  ///< by our clock

  bool operator==(const Override&) const = default;
};

/// A step of the shared standing that this proxy would commit. Whoever carries it out compares what it rests on.
struct Proposal {
  enum class Kind : std::uint8_t {
    trip,        ///< enough votes
    take_probe,  ///< become the one who probes; it needs a lease
    ramp,        ///< our probes went well: the token of the probe is compared, and goes with it
    reopen,      ///< our probes failed: likewise
    release,     ///< nobody called while we could have probed: likewise
    close,       ///< the ramp is over
    expire,      ///< an override's time is up: it goes; if it was open, what is shared is open and may be probed
  };
  Kind kind = Kind::trip;
  Standing next{};    ///< with epoch = that of what it follows + 1
  Duration lease{};   ///< of take_probe
  std::string why{};  ///< for the event
};

/// What the gate is to do, and what others are to hear.
struct Plan {
  // How it stands, for people and for the gate.
  State state = State::closed;
  unsigned allowed_permille = Gate::kAll;  ///< what the gate lets through; of its own accord mode observe lets all
  std::string reason{};
  Instant since{};
  std::uint64_t epoch = 0;  ///< of the shared standing; 0: there is none
  unsigned trips = 0;
  bool shared = false;  ///< it is the shared standing that shows
  bool forced = false;  ///< it is an operator's word that shows

  bool new_generation = false;  ///< since the last decide(): begin_generation(), what was measured before is void
  unsigned offer_probes = 0;    ///< so many more
  bool any_probe = false;       ///< let_any_probe(): only calls that must not fail come, and one of them has to

  Vote vote{};  ///< without node and zone
  std::optional<Proposal> proposal{};
  /// A step of the proxy's own standing, for the log and the events: "opened", and why. At most one at a time.
  struct Happened {
    std::string what{};  ///< opened, half-opened, ramps up, closed; in mode observe: would open, would close
    std::string why{};
  };
  std::optional<Happened> happened{};
  bool has_tripped = false;  ///< the own standing, since the last decide()

  Instant look_again{};  ///< call decide() then at the latest, whatever happens
};

/// What all edges of a proxy know about it.
struct Self {
  bool suspect = false;  ///< much that it does fails: it may be to blame itself
  bool may_open = true;  ///< what is shared may be opened: not so much of it was in the last seconds
  unsigned voters = 1;   ///< nodes that are alive, this one included
};

class Edge {
 public:
  Edge(std::string name, const Settings& settings, Instant now, std::uint64_t seed);

  const std::string& name() const { return name_; }
  const Settings& settings() const { return settings_; }

  // What comes in. None of these decides.

  void set_settings(const Settings& settings, Instant now);
  void set_override(std::optional<Override> override);
  /// The store can be asked. Until it is said so, it cannot.
  void set_in_touch(bool in_touch, Instant now);
  /// What stands in the store, with `since` by our clock. None: nothing was ever decided together, which is closed.
  void set_shared(std::optional<Standing> shared, Instant now);
  /// Of all nodes, our own as the store has it.
  void set_votes(std::vector<Vote> votes) { votes_ = std::move(votes); }
  /// Somebody holds the power to probe; we do.
  void set_prober(bool somebody, bool we);

  /// Calls that have been counted since the last time, and probes of the gate's present generation. Calls are seen in
  /// groups, so what failed counts as "in a row" when no call of its group went well.
  void observe(const Tally& calls, const Probes& probes, Instant now);

  /// Everything that follows by now. Called each time something came in, and at look_again; the same twice in a row
  /// changes nothing.
  Plan decide(const Self& self, Instant now);

  std::string validate() const;
  std::string describe() const;

 private:
  /// Whose word it is.
  enum class Rule : std::uint8_t { own, shared, override, off };
  /// What shows. When it changes, a new generation begins.
  struct Shown {
    Rule rule = Rule::own;
    State state = State::closed;
    std::uint64_t own_epoch = 0;
    std::uint64_t shared_epoch = 0;
    bool probing = false;  ///< for all

    bool operator==(const Shown&) const = default;
  };
  /// What tripped the own standing: it remains our vote while calls that could change our mind are refused.
  struct Evidence {
    std::string why{};
    Tally calls{};
    std::uint64_t epoch = 0;
    Instant seen{};  ///< or confirmed by a probe
  };
  /// A proposal is held back for a while by chance, so that not all make it at once.
  struct Pending {
    Proposal::Kind kind = Proposal::Kind::trip;
    std::uint64_t epoch = 0;
    Instant until{};
  };
  /// Probes that went well in a run of ours that ended without a verdict.
  struct Carried {
    std::uint64_t total = 0;  ///< trips ever, when it was
    unsigned well = 0;
  };

  // The own standing and what shows: edge.cc.
  bool shares() const { return settings_.mode == Mode::enforce && settings_.shared; }
  bool uses_shared() const { return shares() && in_touch_; }
  std::uint64_t shared_epoch() const { return shared_ ? shared_->epoch : 0; }
  Rule rule() const;
  bool is_overtaken() const;
  bool is_retired(Instant now) const;
  void heed_override(Instant now);
  void rest(Instant now);
  void take_over(Instant now);
  void show(Plan& plan, Instant now);
  void begin_run(const Shown& before, Instant now);
  bool step_own(Plan& plan, const Verdict& verdict, Instant now);
  bool step_half_open(Plan& plan, const Verdict& verdict, Instant now);
  bool trip_own(Plan& plan, std::string why, Instant now);
  bool close_own(Plan& plan, std::string why, Instant now);
  ProbeRun::Step step_run(Plan& plan, bool flapping, Instant now);
  bool is_wanted(Instant now) const;
  void describe_standing(const Verdict& verdict, Plan& plan, Instant now) const;

  // What others hear of it: edge_shared.cc.
  Vote vote(const Self& self, const Verdict& verdict, Instant now) const;
  bool still_counts(const Evidence& evidence, Instant now) const;
  std::optional<Proposal> propose(const Self& self, const Verdict& verdict, Plan& plan, Instant now);
  std::optional<Proposal> propose_expiry(Instant now) const;
  std::optional<Proposal> propose_trip(const Self& self, const Standing& shared, Instant now) const;
  std::optional<Proposal> propose_probing(const Standing& shared, Plan& plan, Instant now);
  std::optional<Proposal> propose_verdict(const Standing& shared, Plan& plan, Instant now);
  std::optional<Proposal> propose_close(const Standing& shared, Plan& plan, Instant now);
  std::optional<Proposal> propose_catching_up(const Standing& shared, Plan& plan, Instant now);
  bool has_waited(Proposal::Kind kind, std::uint64_t epoch, Duration most, Plan& plan, Instant now);

  std::string name_;
  Settings settings_;
  Prng prng_;
  Window window_;
  unsigned failures_in_a_row_ = 0;
  Standing own_;
  std::optional<Evidence> evidence_;
  ProbeRun run_;
  Carried carried_;
  Shown shown_;

  std::optional<Override> override_;
  Instant override_since_{};
  bool override_in_force_ = false;
  bool override_retired_ = false;  ///< its time is up, and nobody took it away

  std::optional<Standing> shared_;
  std::optional<std::uint64_t> taken_over_;  ///< the epoch of it from which the own standing went on without the store
  std::vector<Vote> votes_;
  bool in_touch_ = false;
  bool somebody_probes_ = false;
  bool we_probe_ = false;
  std::optional<Instant> refused_at_;  ///< the last time that somebody wanted to call
  std::optional<Pending> pending_;
  std::optional<Pending> was_pending_;
};

}  // namespace holdfast::breaker
