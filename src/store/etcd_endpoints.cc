#include "store/etcd_endpoints.h"

#include <algorithm>
#include <tuple>

#include "base/check.h"

namespace holdfast::store::etcd {

std::size_t Endpoints::choose(Instant now, const std::vector<std::size_t>& avoid) const {
  check(!states_.empty(), "a cluster has members");
  const auto rank = [&](std::size_t endpoint) {
    const bool avoided = std::ranges::find(avoid, endpoint) != avoid.end();
    const Instant left_alone_until = std::max(states_[endpoint].ready_at, now);
    const std::size_t distance = (endpoint + states_.size() - preferred_) % states_.size();
    return std::tuple(avoided, left_alone_until, distance);
  };
  std::size_t best = 0;
  for (std::size_t endpoint = 1; endpoint < states_.size(); ++endpoint) {
    if (rank(endpoint) < rank(best)) best = endpoint;
  }
  return best;
}

void Endpoints::worked(std::size_t endpoint, Instant now) {
  State& state = states_[endpoint];
  state.failures = 0;
  state.ready_at = Instant::min();
  state.worked_at = now;
  if (states_[preferred_].failures != 0) preferred_ = endpoint;
}

void Endpoints::failed(std::size_t endpoint, Instant now, Prng& prng) {
  State& state = states_[endpoint];
  state.failures = std::min(state.failures + 1, 16U);
  const Duration pause = std::min(kFirstPause * (1U << (state.failures - 1)), kLongestPause);
  state.ready_at =
      now + pause + Duration(static_cast<Duration::rep>(prng.below(static_cast<std::uint64_t>((pause / 4).count()))));
}

}  // namespace holdfast::store::etcd
