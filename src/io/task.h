// Task<T>: a coroutine that starts when it is awaited (or given to a Scope) and yields one value.
//
// Resumption. The usual symmetric transfer grows the stack at -O0 and under AddressSanitizer when many awaits finish
// without waiting, and on this hot path most do. So awaiting runs the child to its first wait as a plain call: a child
// that finished lets the parent go on in its own frame; only otherwise is the parent parked, and only a parked parent
// is resumed when the child ends (docs/decisions/0003).
//
// Errors: no exception leaves a task; one that would, ends the process.
#pragma once

#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "io/frame_pool.h"

namespace holdfast::io {

template <class T = void>
class Task;

/// Who is told when a task that nobody awaits has ended: a Scope.
class TaskOwner {
 public:
  virtual void task_ended(std::coroutine_handle<> task) = 0;

 protected:
  virtual ~TaskOwner() = default;
};

namespace detail {

class PromiseBase {
 public:
  // The frame of the coroutine, which the promise is a part of.
  static void* operator new(std::size_t bytes) { return take_frame(bytes); }
  static void operator delete(void* frame, std::size_t bytes) noexcept { return_frame(frame, bytes); }

  std::suspend_always initial_suspend() noexcept { return {}; }

  struct AtEnd {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> task) noexcept {
      const PromiseBase& promise = task.promise();
      if (promise.parked_parent) return promise.parked_parent;
      if (promise.owner != nullptr) promise.owner->task_ended(task);
      return std::noop_coroutine();
    }
    void await_resume() noexcept {}
  };
  AtEnd final_suspend() noexcept { return {}; }

  void unhandled_exception() noexcept { std::terminate(); }

  std::coroutine_handle<> parked_parent;
  TaskOwner* owner = nullptr;
};

template <class T>
class Promise : public PromiseBase {
 public:
  Task<T> get_return_object();
  template <class U>
  void return_value(U&& value) {
    value_.emplace(std::forward<U>(value));
  }
  T take() { return std::move(*value_); }

 private:
  std::optional<T> value_;
};

template <>
class Promise<void> : public PromiseBase {
 public:
  Task<void> get_return_object();
  void return_void() {}
  void take() {}
};

}  // namespace detail

template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  explicit Task(Handle handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  struct Awaiter {
    Handle child;
    bool await_ready() { return false; }
    bool await_suspend(std::coroutine_handle<> parent) {
      child.resume();
      if (child.done()) return false;
      child.promise().parked_parent = parent;
      return true;
    }
    T await_resume() { return child.promise().take(); }
  };
  Awaiter operator co_await() && { return Awaiter{handle_}; }

  /// Gives the frame away: whoever takes it starts and destroys it. Scope only.
  Handle release() { return std::exchange(handle_, nullptr); }

 private:
  Handle handle_;
};

template <class T>
Task<T> detail::Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise>::from_promise(*this));
}
inline Task<void> detail::Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise>::from_promise(*this));
}

}  // namespace holdfast::io
