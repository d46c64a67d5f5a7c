// For tests of the SQLite store: a folder, an engine on clocks of the test, and a way to wait for a task.
#pragma once

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <optional>
#include <string>

#include "io/scope.h"
#include "store/sqlite_engine.h"

namespace holdfast::store {

struct TestFolder : Pinned {
  TestFolder() {
    std::string pattern = ::testing::TempDir() + "sqlite-XXXXXX";
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    path = pattern;
    file = path / "store.db";
  }
  ~TestFolder() { std::filesystem::remove_all(path); }

  std::filesystem::path path;
  std::filesystem::path file;
};

/// A boot-time clock that stands still until it is moved. Two threads read it.
struct TestClock : Pinned {
  std::atomic<Duration::rep> count = Duration(1000s).count();

  void pass(Duration time) { count += time.count(); }
  BootInstant now() const { return BootInstant(Duration(count.load())); }
  SqliteOptions options() const {
    SqliteOptions options;
    options.boot_clock = [this] { return now(); };
    options.boot = "first";
    return options;
  }
};

inline std::unique_ptr<SqliteEngine> open_engine(const std::filesystem::path& file, SqliteOptions options) {
  Result<std::unique_ptr<SqliteEngine>> engine = SqliteEngine::open(file, std::move(options));
  if (!engine) ADD_FAILURE() << engine.error().what;
  return engine ? std::move(*engine) : nullptr;
}

/// The revision of a commit that must succeed; 0 if it did not.
inline Revision commit(SqliteEngine& engine, const Transaction& transaction) {
  Gate gate;
  const Result<Outcome> outcome = engine.commit(transaction, gate);
  if (!outcome) ADD_FAILURE() << outcome.error().what;
  return outcome && outcome->kind == Outcome::Kind::committed ? outcome->revision : 0;
}

inline Revision put(SqliteEngine& engine, const std::string& key, const std::string& value, LeaseId lease = 0) {
  return commit(engine, {{}, {Write::put(key, value, lease)}});
}

/// "a=1 b=2", or the code of the failure.
inline std::string show(const Result<View>& view) {
  if (!view) return std::string(to_string(view.error().code));
  std::string text;
  for (const Record& each : view->records) text += (text.empty() ? "" : " ") + each.key + "=" + each.value;
  return text;
}

/// "3:a=1 4:-a"
inline std::string show(const std::vector<Event>& events) {
  std::string text;
  for (const Event& each : events) {
    text += (text.empty() ? "" : " ") + std::to_string(each.record.modified) + ":";
    text += each.kind == Event::Kind::put ? each.record.key + "=" + each.record.value : "-" + each.record.key;
  }
  return text;
}

template <class T>
io::Task<> keep(io::Task<T> task, std::optional<T>* result) {
  T value = co_await std::move(task);
  result->emplace(std::move(value));
}

/// Turns the loop until the task has ended.
template <class T>
T wait_for(io::Loop& loop, io::Task<T> task) {
  std::optional<T> result;
  io::Scope scope(loop);
  scope.add(keep(std::move(task), &result));
  while (scope.size() != 0) loop.run_once();
  return std::move(*result);
}

inline void wait_for(io::Loop& loop, io::Task<> task) {
  io::Scope scope(loop);
  scope.add(std::move(task));
  while (scope.size() != 0) loop.run_once();
}

}  // namespace holdfast::store
