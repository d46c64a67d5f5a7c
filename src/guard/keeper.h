// Keeper: keeps the breakers of a process. Every 50 ms, and when the store has told something, it hands each
// breaker::Edge what came in, has it decide, and carries out: sets the gate that all loops ask, publishes this node's
// vote, commits a step that all share. It decides nothing itself; nothing on the way of a request waits for it.
//
// Without a store its breakers are this process's own. With one (share()) they are everybody's, and when it is lost
// they are this process's own again, from where they stand (docs/decisions/0007).
//
// Control loop only. Start reading at keep().
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/pinned.h"
#include "base/prng.h"
#include "breaker/circuit.h"
#include "breaker/edge.h"
#include "guard/session.h"
#include "guard/step.h"
#include "guard/suspicion.h"
#include "guard/view.h"
#include "io/loop.h"
#include "io/scope.h"
#include "io/signal.h"
#include "io/stop.h"
#include "journal/journal.h"
#include "store/store.h"

namespace holdfast::guard {

struct Kept;

/// A breaker that the file asks for.
struct Wanted {
  std::string name{};  ///< breaker::circuit_name()
  breaker::Settings settings{};
};

/// What a simulation has otherwise.
struct Surroundings {
  std::function<std::int64_t()> wall_us = io::read_wall_clock_us;
  std::uint64_t seed = 0;  ///< 0: another one each time
};

class Keeper : Pinned {
 public:
  /// Hears of each transition, once, and of the store and its records.
  using Say = std::function<void(const std::string& line)>;

  Keeper(io::Loop& control, unsigned loops, Say say, Surroundings surroundings = {});
  ~Keeper();

  /// The breakers of the file. Those that are kept already go on undisturbed, with these settings; those that are not
  /// among them end: their gates are open from then on.
  void follow(const std::vector<Wanted>& wanted);
  /// Made at first demand, also before follow(): then it lets everything pass until it is asked for there.
  std::shared_ptr<breaker::Circuit> circuit(const std::string& name);

  /// Begins when what was shared before has ended.
  /// Requires: it is not shared.
  void share(Sharing sharing);
  /// From now on each breaker is this process's own. What was shared ends in the background.
  void unshare();
  bool is_shared() const { return session_ != nullptr || next_sharing_.has_value(); }
  /// The store answers.
  bool in_touch() const;

  /// By name.
  std::vector<View> view() const;
  std::optional<View> view(const std::string& name) const;
  /// Another number when states, overrides or settings are others; not for counts.
  std::uint64_t version() const { return version_; }
  /// Told when version() is another.
  journal::Followers& followers() { return followers_; }
  const journal::Journal& journal() const { return journal_; }
  journal::Journal& journal() { return journal_; }

  /// An operator's word: open or closed, whatever happens, until it is taken back or its time is up. Committed with its
  /// event when it returns; without a store it holds for this process, as long as that lives.
  /// Errors: Code::missing: no such breaker; Code::invalid; those of Store::commit(); Code::timed_out: it is not known
  /// whether it was done.
  io::Task<Result<>> force(std::string name, breaker::State state, std::string actor, std::string reason,
                           std::optional<Duration> lasting, Deadline deadline);
  /// Takes it back. What was forced open is probed before calls flow.
  /// Errors: likewise; Code::missing also when nothing is forced.
  io::Task<Result<>> release(std::string name, std::string actor, std::string reason, Deadline deadline);

  /// Ends all waiting, and what was shared; await idle() before the keeper goes.
  void stop();
  io::Task<bool> idle(Deadline deadline);

  std::string validate() const;

 private:
  static constexpr std::size_t kOwnEventsMax = 100;

  // The look at each breaker: keeper.cc.
  io::Task<> keep();
  void look(bool at_all);
  void look_at(Kept& kept);
  bool has_news(const Kept& kept) const;
  void carry_out(Kept& kept);
  void doubt();
  void heed_settings(Kept& kept);
  Kept* find(std::string_view name);
  Kept& make(const std::string& name);
  void tell_own(const Kept& kept, const std::string& what, const std::string& why, const std::string& actor);

  // What the store says, and what we tell it: keeper_shared.cc.
  void learn(bool is_late);
  void begin_from_store();
  void take_in(Kept& kept, bool is_new);
  bool is_seen_to_trip(const Kept& kept, const breaker::Standing& standing) const;
  void recall(Kept& kept, const Posted& posted, const Clocks& clocks);
  void tell_shared(const Kept& kept, const breaker::Standing& standing, const StateRecord& record);
  void begin_session(Sharing sharing);
  void set_in_touch(bool in_touch);
  void heed_hold(Kept& kept);
  void give_back(Kept& kept);
  void publish();
  bool is_vote_due(const Kept& kept) const;
  io::Task<> send_votes(std::shared_ptr<Session> session, store::Transaction transaction,
                        std::vector<std::string> names);
  io::Task<> send_events(std::shared_ptr<Session> session);

  // Steps that all share: keeper_steps.cc.
  void propose(Kept& kept);
  io::Task<> take_step(std::shared_ptr<Session> session, std::string name, breaker::Proposal::Kind kind,
                       store::Transaction transaction, Deadline deadline);
  io::Task<> take_probe(std::shared_ptr<Session> session, std::string name, breaker::Proposal proposal);
  io::Task<> revoke(std::shared_ptr<Session> session, store::LeaseId lease);
  io::Task<> end(std::shared_ptr<Session> session);
  void step_ended(Session& session, const std::string& name, const Result<store::Outcome>& outcome);
  Author author() const;

  // An operator's word: keeper_operator.cc.
  io::Task<Result<>> commit_word(std::shared_ptr<Session> session, std::string name, OverrideView word,
                                 Deadline deadline);
  io::Task<Result<>> commit_release(std::shared_ptr<Session> session, std::string name, std::string actor,
                                    std::string reason, Deadline deadline);
  void end_overrides(std::int64_t wall_us);
  void set_override(Kept& kept, bool is_live);

  // For people: keeper_view.cc.
  void note_version(Kept& kept);
  View view_of(const Kept& kept) const;

  io::Loop& loop_;
  const unsigned loops_;
  const Say say_;
  const Surroundings surroundings_;
  Prng prng_;
  std::map<std::string, std::unique_ptr<Kept>, std::less<>> kept_;
  std::shared_ptr<Session> session_;
  std::optional<Sharing> next_sharing_;  ///< as soon as nothing is ending
  unsigned ending_ = 0;                  ///< sessions
  bool must_learn_ = false;              ///< the session has something new
  bool is_in_touch_ = false;             ///< as the edges were told
  breaker::Self self_;
  Trips trips_;
  bool is_opening_ = false;  ///< for all: one at a time, so that not too many are
  bool told_not_to_open_ = false;
  Instant late_until_{};
  bool is_publishing_ = false;
  Instant publish_again_{};  ///< not before; after a failure
  store::LeaseId published_under_ = 0;
  bool is_voter_published_ = false;
  std::set<std::string> withdrawn_;        ///< votes on breakers that have ended: to be erased
  std::deque<journal::Event> own_events_;  ///< that the store has not yet
  bool is_sending_events_ = false;
  Instant next_tick_{};
  Instant look_again_{};
  std::uint64_t version_ = 1;
  bool is_told_ = true;  ///< the followers know of version_
  journal::Followers followers_;
  journal::Journal journal_;
  io::Stop stop_;
  io::Signal wake_;
  io::Scope tasks_;
};

}  // namespace holdfast::guard
