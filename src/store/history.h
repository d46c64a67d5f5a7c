// History: what the clients of a store saw, written down: what was asked and when, what was answered and when, what a
// watch delivered. It is judged afterwards (store/history_check.h).
//
// Besides the clients there is a witness: a watch over everything, from the first revision on, whose events are the
// log. Values of puts are unique in a history, so it shows of each transaction that was answered with "unknown" whether
// it was done, and when.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "store/keyspace.h"
#include "store/store.h"

namespace holdfast::store {

/// A commit: its outcome, or the error it ended with.
struct CommitSeen {
  Transaction transaction;
  std::optional<Outcome> outcome;
  Code error = Code::internal;
};

struct ReadSeen {
  std::string prefix;
  Revision at = 0;
  std::optional<View> view;
  Code error = Code::internal;
};

struct LeaseSeen {
  enum class Kind : unsigned char { grant, keep_alive, revoke };
  Kind kind = Kind::grant;
  LeaseId lease = 0;
  Duration asked{};                      ///< of grant
  Duration ttl{};                        ///< of grant: what was given
  std::optional<Code> error;             ///< none: it was done
  Instant lives_until = Instant::min();  ///< of grant and keep_alive: LeaseTerm::ends() on the loop's clock
};

struct CompactSeen {
  Revision revision = 0;
  std::optional<Code> error;
};

/// One call of one client.
struct Call {
  int client = 0;
  Instant began;
  Instant ended;
  std::variant<CommitSeen, ReadSeen, LeaseSeen, CompactSeen> what;
};

/// What came out of one watch.
struct WatchSeen {
  struct Delivery {
    Instant at;
    Batch batch;
  };
  int client = 0;
  std::string prefix;
  Revision from = 0;
  std::vector<Delivery> deliveries;
  bool stale = false;
  bool must_be_complete = false;  ///< it had time to tell everything that is in the log
};

struct History {
  std::uint64_t world = 0;
  Revision first = 1;  ///< where it begins
  Records before;      ///< what stood there then
  std::vector<Event> log;
  std::vector<Call> calls;
  std::vector<WatchSeen> watches;
};

/// One line for a person: "client 2 [1.203 s .. 1.250 s] commit if modified(a)=3: put a=17 -> committed at 9".
std::string describe(const Call& call);
std::string describe(const Transaction& transaction);

}  // namespace holdfast::store
