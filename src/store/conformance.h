// The conformance suite: what store.h promises, a scene for each promise, to be played on every engine. A scene knows
// only stores and a loop, so it is the same in simulated time and on three real members of etcd.
//
// What many clients at once may see is the business of store/random_history.h.
#pragma once

#include <memory>
#include <source_location>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/pinned.h"
#include "io/loop.h"
#include "io/task.h"
#include "store/store.h"

namespace holdfast::store {

/// Where a scene is played: an engine that nobody else uses meanwhile.
class Stage {
 public:
  virtual ~Stage() = default;
  virtual io::Loop& loop() = 0;
  /// A client more.
  virtual std::unique_ptr<Store> open() = 0;
};

/// Two clients of one store, and what was not as promised.
class Scene : public Pinned {
 public:
  explicit Scene(Stage& stage) : loop_(stage.loop()), one_(stage.open()), other_(stage.open()) {}

  Store& one() { return *one_; }
  Store& other() { return *other_; }
  io::Loop& loop() { return loop_; }
  /// Time enough for any call.
  Deadline soon() const { return loop_.now() + 20s; }

  void expect(bool holds, const std::string& promise, std::source_location where = std::source_location::current());
  const std::vector<std::string>& broken() const { return broken_; }

  // What must succeed, by the first client; if it does not, that is a broken promise, and the answer is empty.
  io::Task<Outcome> commit(Transaction transaction);
  io::Task<View> read(std::string prefix, Revision at = 0);
  io::Task<LeaseTerm> grant(Duration ttl);
  io::Task<> pass(Duration duration);
  /// Closes the first client; its calls can still be made. A store is closed once.
  io::Task<> close_one();
  /// The next batches until there is an event, or none within 20 s: as one.
  io::Task<Batch> next_events(Ref<Watch> watch);
  /// Code::internal if it succeeds.
  io::Task<Code> code_of_read(std::string prefix, Revision at);
  io::Task<Code> code_of_commit(Transaction transaction);

 private:
  io::Loop& loop_;
  std::unique_ptr<Store> one_;
  std::unique_ptr<Store> other_;
  bool one_is_closed_ = false;
  std::vector<std::string> broken_;
};

struct Promise {
  const char* name;  ///< a claim: "reads_what_another_has_committed"
  io::Task<> (*play)(Ref<Scene> scene);
};
std::span<const Promise> promises();

/// Plays it, and closes the clients.
/// Returns what was broken.
std::vector<std::string> play(Stage& stage, const Promise& promise);
/// Runs the loop until `task` has ended; false if it cannot.
bool run_on(io::Loop& loop, io::Task<> task);

}  // namespace holdfast::store
