// RetryThrottle: no retries while much of what comes back fails. The budget keeps retries to a share of the requests;
// that still multiplies from layer to layer (1.2 of 1.2 of …) just when the last layer can bear it least.
//
// It is about failures that tell of load: a status that is retried, a time that has passed. A server that crashed must
// cost no request, so refused and lost connections are never counted and never held back. One for each loop and
// service.
// Source: gRPC A6, retry throttling, with other numbers: a hundred tokens, a failure takes one, a success brings one,
// and there are retries while there are more than fifty. So retries end when more than half of what comes back fails.
// gRPC's tenth of a token for a success would end them for a service of two servers one of which is sick, which is what
// retries are for; and its ten tokens when that one fails ten requests at once.
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
  bool allows() const { return tokens_ > kTokensMax / 2; }

  std::string validate() const;
  std::string describe() const;

 private:
  static constexpr std::uint32_t kTokensMax = 100;

  std::uint32_t tokens_ = kTokensMax;
};

}  // namespace holdfast::balance
