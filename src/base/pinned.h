// Pinned and Ref: how a coroutine holds a long-lived owner.
//
// A coroutine never takes a reference parameter (our tasks start lazily, so a temporary is gone before the first line
// runs). What lives longer than the task derives from Pinned and is passed as Ref<T>, which binds only to an lvalue.
#pragma once

#include <type_traits>

namespace holdfast {

/// Stays where it was built: neither copied nor moved.
class Pinned {
 public:
  Pinned() = default;
  ~Pinned() = default;
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;
};

/// A pointer that is never null and was built from a named Pinned object.
/// Requires: the object outlives every task that holds the Ref.
template <class T>
class Ref {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): a Ref stands for the object at the call site
  Ref(T& object) : object_(&object) {}
  template <class U>
    requires std::is_convertible_v<U*, T*>
  // NOLINTNEXTLINE(google-explicit-constructor)
  Ref(Ref<U> other) : object_(&*other) {}

  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }

 private:
  T* object_;
};

}  // namespace holdfast
