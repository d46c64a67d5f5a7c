// RetryThrottle: no retries while much of what comes back fails. The budget keeps retries to a share of the requests;
// that still multiplies from layer to layer (1.2 of 1.2 of …) just when the last layer can bear it least.
//
// It is about failures that tell of load: a status that is retried, a time that has passed. A server that crashed must
// cost no request, so refused and lost connections are never counted and never held back. One for each loop and
// service.
// Source: gRPC A6, retry throttling: ten tokens, a failure takes one, a success brings a tenth of one, and there are
// retries while there are more than five. So it bears one failure of eleven for good.
#pragma once

#include <cstdint>
#include <string>

namespace holdfast::balance {

class RetryThrottle {
 public:
  /// A try brought an answer that is not retried.
  void count_success();
  /// A try ended in a failure that tells of load, whether it is retried or not.
  void count_failure();
  bool allows() const { return tenths_ > kTenthsMax / 2; }

  std::string validate() const;
  std::string describe() const;

 private:
  static constexpr std::uint32_t kTenthsMax = 100;

  std::uint32_t tenths_ = kTenthsMax;  ///< of a token
};

}  // namespace holdfast::balance
