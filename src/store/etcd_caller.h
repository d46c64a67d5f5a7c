// Caller: asks the cluster one thing: chooses a member, asks another when it does not answer or says that it cannot,
// logs in where a password is needed. Start reading at call().
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/pinned.h"
#include "base/prng.h"
#include "client/origin.h"
#include "io/scope.h"
#include "store/etcd.h"
#include "store/etcd_endpoints.h"

namespace holdfast::store::etcd {

/// A member that has not answered by then is not waited for while there are others; twice as long in each next round.
inline constexpr Duration kAttemptMax = 1s;
/// What must not be sent twice goes only to a member that has answered something since; or is asked for a sign of life.
inline constexpr Duration kFreshness = 1s;
inline constexpr Duration kSignOfLifeMax = 300ms;
inline constexpr std::size_t kAnswerBytesMax = std::size_t{64} * 1024 * 1024;

struct Call {
  std::string path;
  std::string body;
  bool repeatable = true;          ///< may be sent twice to the same effect
  std::vector<std::size_t> avoid;  ///< members to ask only if there is no other
};

struct Reply {
  Result<std::string> body;      ///< Side::store
  bool surely_not_done = false;  ///< of a failure
  std::size_t endpoint = 0;      ///< who answered
  BootInstant since{};           ///< read before the request that was answered was sent
};

struct StreamReply {
  Result<std::unique_ptr<client::Incoming>> stream;
  std::size_t endpoint = 0;
};

class Caller : public Pinned {
 public:
  Caller(io::Loop& loop, const EtcdOptions& options, const std::vector<client::Url>& urls,
         std::shared_ptr<const client::TlsSettings> tls);

  std::size_t endpoints() const { return origins_.size(); }
  std::string name(std::size_t endpoint) const { return to_string(origins_[endpoint]->url()); }

  /// Errors: as store.h says; where nobody can be reached at all, at once.
  io::Task<Reply> call(Call call, Deadline deadline);

  /// Begins what has no end: one attempt, one member.
  io::Task<StreamReply> stream(Call call, Deadline deadline);
  /// A stream broke or was found wanting.
  void blame(std::size_t endpoint);

  /// Ends all calls and streams with Code::stopped; await idle() before the caller goes.
  void close();
  io::Task<> idle();
  bool closed() const { return stop_.requested(); }

 private:
  struct Attempt {
    Reply reply;
    bool try_another = false;
    bool unreachable = false;  ///< nothing could be sent there
    bool token_refused = false;
  };

  io::Task<Attempt> attempt(std::size_t endpoint, Call call, Deadline deadline);
  io::Task<bool> shows_life(std::size_t endpoint, Deadline deadline);
  io::Task<Result<>> log_in(std::size_t endpoint, Deadline deadline);
  client::Request request(const Call& call) const;

  // A call under way.
  class Counted : Pinned {
   public:
    explicit Counted(Caller& caller) : caller_(caller) { ++caller_.calls_; }
    ~Counted() {
      if (--caller_.calls_ == 0) caller_.idle_.notify();
    }

   private:
    Caller& caller_;
  };

  io::Loop& loop_;
  std::size_t calls_ = 0;
  io::Signal idle_;
  const std::string user_;
  const std::string password_;
  std::string token_;
  std::vector<std::unique_ptr<client::Origin>> origins_;
  Endpoints endpoints_;
  Prng prng_;
  io::Stop stop_;
};

}  // namespace holdfast::store::etcd
