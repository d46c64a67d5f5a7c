#include "proxy/address_counts.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace holdfast::proxy {

AddressCounts::Key AddressCounts::key_of(const io::SocketAddress& peer, std::string_view listener) const {
  const std::string_view bytes = peer.ip_bytes();
  check(!bytes.empty(), "only addresses of the internet are counted");
  Key key;
  std::memcpy(&key.network, bytes.data(), std::min(bytes.size(), sizeof key.network));
  key.listener = hash64(listener, seed_ + bytes.size());
  return key;
}

bool AddressCounts::enter(const Key& key, unsigned most) {
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.counts.find(key);
  if (found == shard.counts.end()) {
    if (most == 0) return false;
    shard.counts.emplace(key, 1);
    return true;
  }
  if (found->second >= most) return false;
  ++found->second;
  return true;
}

void AddressCounts::leave(const Key& key) {
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.counts.find(key);
  check(found != shard.counts.end(), "who leaves has entered");
  if (--found->second == 0) shard.counts.erase(found);
}

std::size_t AddressCounts::size() const {
  std::size_t sum = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    sum += shard.counts.size();
  }
  return sum;
}

}  // namespace holdfast::proxy
