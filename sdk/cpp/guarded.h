// Guarded: one breaker of this process: the gate that calls ask, meters they are counted by, and the edge that decides,
// all as a proxy has them (src/breaker). What the admin API says of the breaker stands where a proxy has what all
// share: it is obeyed while the API is heard, and goes on as this process's own when it is not.
//
// Calls come from any thread; they share shards, each a meter under a lock of its own, by thread.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/cache_line.h"
#include "base/prng.h"
#include "breaker/circuit.h"
#include "breaker/edge.h"
#include "report.h"

namespace holdfast::sdk {

inline constexpr unsigned kShards = 8;

class Guarded : Pinned {
 public:
  Guarded(const std::string& name, Instant now, std::uint64_t seed);

  const std::string& name() const { return circuit_.name(); }

  // Any thread.

  /// Which shard this thread is to use.
  static unsigned this_shard();
  /// Whether the call may be made; it has begun then.
  bool begin(breaker::Call& call, unsigned shard, bool harmless, Instant now);
  void end(breaker::Call& call, unsigned shard, breaker::Outcome outcome, Instant now);
  /// It is to be forgotten.
  void cancel(breaker::Call& call, unsigned shard);
  double allowed() const { return allowed_.load(std::memory_order_relaxed) / static_cast<double>(breaker::Gate::kAll); }
  bool is_known() const { return is_known_.load(std::memory_order_relaxed); }
  std::string describe() const;

  // Keeper thread only.

  /// None: the API knows no such breaker, all calls pass.
  void hear(const std::optional<Report>& report, Instant now, std::int64_t wall_us);
  void set_in_touch(bool in_touch) { in_touch_ = in_touch; }
  void look(Instant now);

 private:
  struct alignas(kCacheLine) Shard {
    std::mutex lock;
    Prng prng{1};
  };

  bool is_forgotten(Instant now) const;

  breaker::Circuit circuit_;
  std::array<Shard, kShards> shards_;
  breaker::Edge edge_;
  breaker::Tally counted_{};
  std::optional<Report> report_;
  Instant since_{};          ///< of what the report says, by our clock
  std::uint64_t epoch_ = 0;  ///< another one for each standing that was reported
  bool in_touch_ = false;
  std::atomic<unsigned> allowed_ = breaker::Gate::kAll;
  std::atomic<bool> is_known_ = false;
  mutable std::mutex words_lock_;
  std::string words_ = "closed";
};

}  // namespace holdfast::sdk
