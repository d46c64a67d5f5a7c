// Pace: how long a peer may keep us waiting within a body. Two rules in one deadline, and so without a timer of its
// own:
//
//   the pause  nothing at all for `stall`;
//   the rate   what it moves stays behind `bytes_per_s` by no more than `grace`.
//
// The peer owns some patience of ours: `grace` to begin with. Waiting for it uses patience up; each byte that it moves
// earns some back, up to `stall`. Only waits for this peer count, so that nobody pays for somebody else's slowness: a
// client that reads an event stream as it comes never keeps us waiting. Pure arithmetic, once for each piece of a body.
// Source: the rule of Apache's mod_reqtimeout (MinRate) and Kestrel's MinDataRate, as a leaky bucket.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace holdfast::proxy {

struct Rate {
  std::size_t bytes_per_s = 0;  ///< 0: any rate will do
  Duration grace{};
};

class Pace {
 public:
  Pace(Duration stall, Rate rate)
      : stall_(stall), bytes_per_s_(rate.bytes_per_s), left_(bytes_per_s_ == 0 ? stall : std::min(stall, rate.grace)) {}

  /// When patience ends, if we begin to wait now.
  Deadline wait_until(Instant now) const { return now + left_; }

  /// We waited for the peer, and it moved that many bytes. A wait that came back late (the loop was busy) costs no more
  /// than the patience there was.
  void moved(std::size_t bytes, Duration waited) {
    left_ = std::max(left_ - waited, Duration::zero());
    if (bytes > 0) left_ = bytes_per_s_ == 0 ? stall_ : std::min(stall_, left_ + earned(bytes));
  }

  bool spent() const { return left_ <= Duration::zero(); }

 private:
  Duration earned(std::size_t bytes) const {
    constexpr std::size_t kSoMany = std::size_t{1} << 33;  // the product stays within 64 bits
    return Duration(static_cast<Duration::rep>(std::min(bytes, kSoMany) * 1'000'000'000U / bytes_per_s_));
  }

  Duration stall_;
  std::size_t bytes_per_s_;
  Duration left_;
};

}  // namespace holdfast::proxy
