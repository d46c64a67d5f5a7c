// holdfast client library: circuit breakers for calls that do not go through a holdfast.
//
//   holdfast::Breakers breakers({.api = "127.0.0.1:7070", .caller = "feed"});
//   holdfast::Breaker& profile = breakers.to("profile");      // once; keep it
//   …
//   holdfast::BreakerCall call(profile);
//   if (!call) return fallback();                             // a local decision: no message, no waiting
//   Answer answer = ask_profile();
//   answer.ok() ? call.succeeded() : call.failed();
//
// A thread in the background hears from the admin API of the holdfast nearby how breakers stand, within a moment of
// each change. What is open there, or forced by an operator, is refused here. Beside that, each breaker judges this
// process's own calls by the settings of the file, as a proxy would. While the API is gone, it goes on with what it
// knew.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace holdfast {

class BreakerCall;

struct BreakersOptions {
  std::string api = "127.0.0.1:7070";  ///< where the admin API is: HOST:PORT, or unix:/path
  std::string caller;                  ///< who we are: a service of the file; empty: nobody in particular
};

/// How calls to one callee stand. Any thread. Lives as long as its Breakers.
class Breaker {
 public:
  ~Breaker();
  Breaker(const Breaker&) = delete;
  Breaker& operator=(const Breaker&) = delete;

  /// Share of calls that pass, 0 to 1.
  double allowed() const;
  /// There is such a breaker; if not, all calls pass.
  bool is_known() const;
  /// "open", "closed", "half_open" or "ramp", and why.
  std::string describe() const;

 private:
  friend class BreakerCall;
  friend class Breakers;
  struct Inside;
  explicit Breaker(std::unique_ptr<Inside> inside);

  std::unique_ptr<Inside> inside_;
};

/// One call, from the question whether it may be made to its outcome; made and ended by any thread. One that dies
/// before its outcome was told says nothing about the callee.
class BreakerCall {
 public:
  /// `harmless`: it may fail without harm (a GET): such calls find out whether a callee is well again.
  explicit BreakerCall(Breaker& breaker, bool harmless = true);
  ~BreakerCall();
  BreakerCall(const BreakerCall&) = delete;
  BreakerCall& operator=(const BreakerCall&) = delete;

  /// Whether it may be made.
  explicit operator bool() const { return allowed_; }

  // What became of it; the first word counts.
  void succeeded();
  void failed();       ///< the callee answered, and badly
  void unreachable();  ///< no connection, or no answer in time

 private:
  struct Inside;
  Breaker::Inside& breaker_;
  unsigned shard_ = 0;
  bool allowed_ = false;
  bool is_open_ = false;
  alignas(8) std::byte room_[64];  // the library's own account of the call
};

class Breakers {
 public:
  explicit Breakers(BreakersOptions options);
  /// Requires: no BreakerCall is left.
  ~Breakers();
  Breakers(const Breakers&) = delete;
  Breakers& operator=(const Breakers&) = delete;

  /// The breaker for our calls to that service; the same one each time. Any thread, but not for every call: it takes a
  /// lock.
  Breaker& to(std::string_view callee);

  /// The API was heard a moment ago.
  bool in_touch() const;
  /// Waits until it was heard for the first time, but not for longer; for the start of a program.
  bool wait_until_known(std::chrono::milliseconds at_most) const;

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace holdfast
