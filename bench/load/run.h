// Run: clients that ask over and over, for a while, and what came of it.
//
// Closed loop: each client sends as soon as it has its answer; that shows the highest rate. Open loop: requests are due
// at constant intervals whatever the proxy does, and the latency of each counts from the instant it was due, also when
// all clients were busy then. So a pause of the proxy is seen by all requests that it delayed, not by the few that
// happened to be under way ("coordinated omission": Gil Tene, "How NOT to Measure Latency", 2013).
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

#include "load/client.h"
#include "load/latencies.h"
#include "load/processor_time.h"

namespace holdfast::bench {

struct RunOptions {
  std::uint16_t port = 0;
  std::string path = "/128";
  std::size_t connections = 64;
  bool new_connections = false;
  double rate = 0;  ///< requests per second; 0: closed loop
  Duration warm_up = 500ms;
  Duration window = 3s;
  std::vector<int> watched_processes;
};

struct RunResult {
  Duration window{};
  std::uint64_t requests = 0;    ///< answered within the window
  std::uint64_t unanswered = 0;  ///< open loop: due within the window, and no answer in time
  std::array<std::uint64_t, std::size(kFailureNames)> failures{};
  Latencies latencies;
  ProcessorTime watched;
  Duration own{};  ///< processor time of this process

  std::uint64_t failures_in_all() const;
};

class Run final : public Errand {
 public:
  Run(Poller& poller_, const RunOptions& options);

  /// Requires: called once.
  RunResult go();

 private:
  enum class Stage : std::uint8_t { warm_up, window, rest, over };

  void answered(Client& client) override;
  void failed(Client& client, Failure failure) override;
  void lost() override {}  // the next begin() connects anew

  void look_at_clock(Instant now);
  void open_window(Instant now);
  void close_window(Instant now);
  Instant next_look(Instant now) const;
  void start_due(Instant now);
  bool open_loop() const { return options_.rate > 0; }
  Instant due(std::uint64_t number) const;

  RunOptions options_;
  std::deque<Client> clients_;
  std::deque<Client*> free_;
  Stage stage_ = Stage::warm_up;
  Instant began_{};
  Instant window_begin_{};
  Instant window_end_{};
  std::uint64_t next_ = 0;  ///< open loop: the number of the next request
  ProcessorTime watched_before_;
  Duration own_before_{};
  RunResult result_;
};

}  // namespace holdfast::bench
