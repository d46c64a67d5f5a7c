// Line: a conversation with the admin API over one connection, by plain sockets. While it waits it calls `meanwhile`
// every kTick, so that one thread can listen and keep breakers at the same time.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/time.h"

namespace holdfast::sdk {

inline constexpr Duration kTick = 50ms;

class Line {
 public:
  /// `meanwhile` says whether to go on waiting.
  using Meanwhile = std::function<bool()>;

  /// `api`: HOST:PORT or unix:/path.
  Line(std::string api, Meanwhile meanwhile) : api_(std::move(api)), meanwhile_(std::move(meanwhile)) {}
  ~Line() { hang_up(); }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  struct Answer {
    int status = 0;
    std::string etag{};
    std::string body{};
  };
  /// None: nobody answers, not in time, or not in HTTP; the connection has ended then, and the next question opens
  /// another one.
  std::optional<Answer> ask(const std::string& target, const std::string& known_etag, Instant deadline);

 private:
  bool dial(Instant deadline);
  void hang_up();
  bool wait_for(short events, Instant deadline);
  bool send_all(const std::string& bytes, Instant deadline);
  std::optional<Answer> receive(Instant deadline);

  const std::string api_;
  const Meanwhile meanwhile_;
  int fd_ = -1;
  unsigned failed_dials_ = 0;
};

}  // namespace holdfast::sdk
