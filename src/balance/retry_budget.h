// RetryBudget: retries are at most a share of the requests of the last ten seconds, plus a small floor.
//
// Counted are requests begun, however they end: when everything fails the budget does not shrink to nothing, and it
// does not grow with retries either. One per loop and service; the floor is therefore per loop too.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/time.h"

namespace holdfast::balance {

inline constexpr Duration kRetryWindow = 10s;
/// Retries a window allows even without traffic to speak of.
inline constexpr std::uint32_t kRetryFloor = 10;

class RetryBudget {
 public:
  explicit RetryBudget(unsigned percent = 20) : percent_(percent) {}

  /// A request (not a retry) begins.
  void count_request(Instant now);

  /// Charges one retry, or says that the budget is empty.
  bool charge(Instant now);

  /// Retries that may be charged now.
  std::uint64_t left(Instant now);

  std::string validate() const;
  std::string describe() const;

 private:
  static constexpr std::size_t kSlots = 10;
  struct Slot {
    std::int64_t second = -1;  ///< which slice of time it counts
    std::uint32_t requests = 0;
    std::uint32_t retries = 0;
  };

  Slot& slot_at(Instant now);

  unsigned percent_;
  std::array<Slot, kSlots> slots_{};
  std::int64_t newest_ = 0;
  std::uint64_t requests_ = 0;  ///< sums over the window
  std::uint64_t retries_ = 0;
};

}  // namespace holdfast::balance
