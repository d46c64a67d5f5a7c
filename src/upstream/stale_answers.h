// StaleAnswers: the last good answers of a service, to be given again when it has none. All loops share them; they are
// touched only for services whose fallback asks for it.
//
// Bounded by memory: who was not asked for longest goes first. An answer that was kept less than a second ago is not
// replaced, so a popular one costs a look, not a copy.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/pinned.h"
#include "base/time.h"

namespace holdfast::upstream {

struct StaleAnswer {
  std::uint16_t status = 200;
  std::string content_type{};
  std::vector<std::pair<std::string, std::string>> fields{};  ///< others that belong to the content
  std::string body{};
  Instant kept{};

  std::size_t bytes() const;
};

class StaleAnswers : Pinned {
 public:
  static constexpr Duration kRenewAfter = 1s;

  explicit StaleAnswers(std::size_t bytes_max);

  /// Whether there is none, or one that is old enough to be replaced.
  bool wants(const std::string& key, Instant now);
  void keep(const std::string& key, std::shared_ptr<const StaleAnswer> answer);
  void erase(const std::string& key);
  /// Null: none, or only one that was kept before `oldest`.
  std::shared_ptr<const StaleAnswer> find(const std::string& key, Instant oldest);

  void set_bytes_max(std::size_t bytes_max);
  std::size_t bytes();

 private:
  static constexpr std::size_t kShards = 16;
  using Entry = std::pair<std::string, std::shared_ptr<const StaleAnswer>>;
  struct Shard {
    std::mutex mutex;
    std::list<Entry> entries;  ///< asked for last is first
    std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key;
    std::size_t bytes = 0;
  };

  Shard& shard_of(const std::string& key);
  static void drop(Shard& shard, const std::string& key);
  static void drop_last(Shard& shard);
  static std::size_t cost(const Entry& entry);
  std::size_t shard_bytes_max() const { return bytes_max_.load(std::memory_order_relaxed) / kShards; }

  std::atomic<std::size_t> bytes_max_;
  std::array<Shard, kShards> shards_;
};

}  // namespace holdfast::upstream
