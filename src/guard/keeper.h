// Keeper: keeps the breakers of a process. Every 50 ms, and when the store has told something, it hands each
// breaker::Edge what came in, has it decide, and carries out: sets the gate that all loops ask, publishes this node's
// vote, commits a step that all share. It decides nothing itself; nothing on the way of a request waits for it.
//
// Without a store its breakers are this process's own. With one (share()) they are everybody's, and when it is lost
// they are this process's own again, from where they stand (docs/decisions/0007).
//
// Control loop only. Start reading at keep().
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/pinned.h"
#include "base/prng.h"
#include "breaker/circuit.h"
#include "breaker/edge.h"
#include "guard/view.h"
#include "io/loop.h"
#include "io/scope.h"
#include "io/signal.h"
#include "io/stop.h"
#include "journal/journal.h"
#include "store/store.h"

namespace holdfast::guard {

struct Kept;
class Session;

/// A breaker that the file asks for.
struct Wanted {
  std::string name{};  ///< breaker::circuit_name()
  breaker::Settings settings{};
};

/// Where the store is, and who we are in it.
struct Sharing {
  std::function<Result<std::unique_ptr<store::Store>>()> open{};
  std::string node{};
  std::string zone{};
  std::filesystem::path snapshot{};  ///< what is known of `breaker/` for a start without the store; empty: nowhere
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

  /// Requires: it is not shared.
  void share(Sharing sharing);
  /// From now on each breaker is this process's own. What was shared ends in the background.
  void unshare();
  bool is_shared() const { return session_ != nullptr; }
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
  io::Task<> keep();
  void learn();
  void look(bool at_all);
  void look_at(Kept& kept);
  void carry_out(Kept& kept);
  void note_version(Kept& kept);
  void end_overrides(std::int64_t wall_us);
  void set_override(Kept& kept);
  Kept* find(std::string_view name);
  Kept& make(const std::string& name);
  void end(Kept& kept);
  void tell_local(const Kept& kept, const std::string& what, const std::string& why, const std::string& actor);
  View view_of(const Kept& kept) const;

  io::Loop& loop_;
  const unsigned loops_;
  const Say say_;
  const Surroundings surroundings_;
  Prng prng_;
  std::map<std::string, std::unique_ptr<Kept>, std::less<>> kept_;
  std::shared_ptr<Session> session_;
  breaker::Self self_;
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
