// Followers: who wants to be told that something has changed. Told on the loop on which it changed, and of nothing but
// that: they look for themselves.
#pragma once

#include <functional>
#include <list>
#include <utility>

#include "base/pinned.h"

namespace holdfast::journal {

class Followers : Pinned {
 public:
  /// While it lives, tell() calls `told`. It neither makes nor ends a hook in it; waking a waiter (io::Signal) is fine.
  /// Requires: it dies before the Followers.
  class Hook : Pinned {
   public:
    Hook(Followers& followers, std::function<void()> told)
        : hooks_(&followers.hooks_), place_(hooks_->insert(hooks_->end(), std::move(told))) {}
    ~Hook() { hooks_->erase(place_); }

   private:
    std::list<std::function<void()>>* hooks_;
    std::list<std::function<void()>>::iterator place_;
  };

  void tell() const {
    for (const std::function<void()>& each : hooks_) each();
  }
  std::size_t size() const { return hooks_.size(); }

 private:
  std::list<std::function<void()>> hooks_;
};

}  // namespace holdfast::journal
