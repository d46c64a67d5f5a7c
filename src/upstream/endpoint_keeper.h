// EndpointKeeper: follows the endpoints that are registered in the store, and says when they changed. Losing the store
// takes none away, and a store that cannot be opened is tried again: what was known before a restart serves meanwhile.
// Control loop only.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "config/host_names.h"
#include "store/mirror.h"

namespace holdfast::upstream {

class EndpointKeeper : Pinned {
 public:
  using Open = std::function<Result<std::unique_ptr<store::Store>>()>;
  using Changed = std::function<void()>;

  /// `file` is where they are kept for a start without the store; `say` hears also of records that cannot be used,
  /// once.
  EndpointKeeper(io::Loop& loop, Open open, std::filesystem::path file, store::Mirror::Say say, Changed changed);
  ~EndpointKeeper();

  /// Waits until the store has been read once; false when the deadline passed first.
  io::Task<bool> read_once(Deadline deadline);

  const config::FoundEndpoints& found() const { return found_; }
  bool in_touch() const { return mirror_ != nullptr && mirror_->in_touch(); }

  /// Ends all waiting; await idle() before the keeper goes.
  void stop();
  io::Task<bool> idle(Deadline deadline) { return tasks_.join(deadline); }

 private:
  io::Task<> keep();
  io::Task<bool> open_store();
  void recall();
  void learn(const std::map<std::string, store::Record, std::less<>>& records);

  io::Loop& loop_;
  const Open open_;
  const std::filesystem::path file_;
  const store::Mirror::Say say_;
  const Changed changed_;
  config::FoundEndpoints found_;
  std::map<std::string, std::string> wrong_;  ///< records that cannot be used: key -> why
  std::unique_ptr<store::Store> store_;       ///< null until it could be opened
  std::unique_ptr<store::Mirror> mirror_;
  io::Stop stop_;
  io::Signal stopped_;
  io::Signal opened_;
  io::Scope tasks_;
};

}  // namespace holdfast::upstream
