// EtcdEndpoints: which member of the cluster is asked next. The one that works is kept; one that fails is left alone
// for a while, longer each time, unless there is no other. Pure.
#pragma once

#include <cstddef>
#include <vector>

#include "base/prng.h"
#include "base/time.h"

namespace holdfast::store::etcd {

class Endpoints {
 public:
  static constexpr Duration kFirstPause = 100ms;
  static constexpr Duration kLongestPause = 5s;

  explicit Endpoints(std::size_t count) : states_(count) {}

  std::size_t size() const { return states_.size(); }

  /// The best to ask now: not one of `avoid` if that can be helped, then one that is not left alone, then the one that
  /// worked last. Where all are left alone, the one whose pause ends first.
  std::size_t choose(Instant now, const std::vector<std::size_t>& avoid) const;

  void worked(std::size_t endpoint, Instant now);
  void failed(std::size_t endpoint, Instant now, Prng& prng);

  /// When its pause ends; in the past if it has none.
  Instant ready_at(std::size_t endpoint) const { return states_[endpoint].ready_at; }
  /// It has given an answer since then.
  bool worked_since(std::size_t endpoint, Instant since) const { return states_[endpoint].worked_at >= since; }

 private:
  struct State {
    unsigned failures = 0;  ///< in a row
    Instant ready_at = Instant::min();
    Instant worked_at = Instant::min();
  };

  std::vector<State> states_;
  std::size_t preferred_ = 0;
};

}  // namespace holdfast::store::etcd
