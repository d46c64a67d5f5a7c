#include "upstream/stale_answers.h"

#include <algorithm>

#include "base/hash.h"

namespace holdfast::upstream {

std::size_t StaleAnswer::bytes() const {
  std::size_t sum = sizeof(StaleAnswer) + content_type.size() + body.size();
  for (const auto& [name, value] : fields) sum += sizeof(fields.front()) + name.size() + value.size();
  return sum;
}

StaleAnswers::StaleAnswers(std::size_t bytes_max) : bytes_max_(bytes_max) {}

// What the maps and lists around an entry take is counted roughly.
std::size_t StaleAnswers::cost(const Entry& entry) {
  constexpr std::size_t kAround = 128;
  return kAround + entry.first.size() + entry.second->bytes();
}

StaleAnswers::Shard& StaleAnswers::shard_of(const std::string& key) { return shards_[hash64(key) % kShards]; }

bool StaleAnswers::wants(const std::string& key, Instant now) {
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.by_key.find(key);
  return found == shard.by_key.end() || now - found->second->second->kept >= kRenewAfter;
}

void StaleAnswers::keep(const std::string& key, std::shared_ptr<const StaleAnswer> answer) {
  Entry entry(key, std::move(answer));
  const std::size_t bytes = cost(entry);
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const std::size_t bytes_max = shard_bytes_max();  // once: a reload may set another
  if (bytes > bytes_max) return;
  drop(shard, key);
  while (shard.bytes + bytes > bytes_max) drop_last(shard);
  shard.entries.push_front(std::move(entry));
  shard.by_key.emplace(shard.entries.front().first, shard.entries.begin());
  shard.bytes += bytes;
}

std::shared_ptr<const StaleAnswer> StaleAnswers::find(const std::string& key, Instant oldest) {
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.by_key.find(key);
  if (found == shard.by_key.end() || found->second->second->kept < oldest) return nullptr;
  shard.entries.splice(shard.entries.begin(), shard.entries, found->second);
  return found->second->second;
}

void StaleAnswers::erase(const std::string& key) {
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  drop(shard, key);
}

void StaleAnswers::drop(Shard& shard, const std::string& key) {
  const auto found = shard.by_key.find(key);
  if (found == shard.by_key.end()) return;
  const auto at = found->second;
  shard.bytes -= cost(*at);
  shard.by_key.erase(found);  // before the entry: its key is the entry's
  shard.entries.erase(at);
}

void StaleAnswers::drop_last(Shard& shard) {
  shard.bytes -= cost(shard.entries.back());
  shard.by_key.erase(shard.entries.back().first);
  shard.entries.pop_back();
}

void StaleAnswers::set_bytes_max(std::size_t bytes_max) {
  bytes_max_.store(bytes_max, std::memory_order_relaxed);
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    while (shard.bytes > shard_bytes_max()) drop_last(shard);
  }
}

std::size_t StaleAnswers::bytes() {
  std::size_t sum = 0;
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    sum += shard.bytes;
  }
  return sum;
}

}  // namespace holdfast::upstream
