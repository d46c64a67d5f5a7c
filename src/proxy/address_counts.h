// AddressCounts: how many connections each client address has, over all loops, for the cap per address.
//
// Asked when a connection is accepted and when it ends, never by a request. An entry lives as long as a connection of
// its address: the table is never larger than what is open. An IPv6 client owns a /64 (RFC 6177), so that is what
// counts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "base/cache_line.h"
#include "base/hash.h"
#include "base/pinned.h"
#include "io/socket_address.h"

namespace holdfast::proxy {

class AddressCounts : Pinned {
 public:
  struct Key {
    std::uint64_t network = 0;   ///< the IPv4 address, or the first half of the IPv6 one
    std::uint64_t listener = 0;  ///< each listener counts for itself; the families are apart, too; seeded

    bool operator==(const Key&) const = default;
  };

  /// Addresses are chosen by clients: with a seed that they do not know, they cannot choose such as collide.
  explicit AddressCounts(std::uint64_t seed) : seed_(seed) {}

  /// Requires: `peer` is not a Unix socket.
  Key key_of(const io::SocketAddress& peer, std::string_view listener) const;

  /// Counts one more; not if there are `most` already. What was counted is owed a leave().
  bool enter(const Key& key, unsigned most);
  void leave(const Key& key);

  /// Addresses that have a connection. Any thread.
  std::size_t size() const;

 private:
  struct Hash {
    std::size_t operator()(const Key& key) const { return hash64({reinterpret_cast<const char*>(&key), sizeof key}); }
  };
  /// Clients that come on several loops at once seldom meet at one lock.
  struct alignas(kCacheLine) Shard {
    mutable std::mutex mutex;
    std::unordered_map<Key, unsigned, Hash> counts;
  };
  static constexpr std::size_t kShards = 64;

  Shard& shard_of(const Key& key) { return shards_[Hash{}(key) % kShards]; }

  const std::uint64_t seed_;
  std::array<Shard, kShards> shards_;
};

}  // namespace holdfast::proxy
