// The store in an etcd cluster, 3.4 or later, through its JSON gateway.
//
// What of a failed commit is known: nothing was sent, or etcd said no: it fails. Bytes were sent and no answer came:
// its outcome is unknown. It is never sent twice. Everything else is asked of another member when one does not answer.
// Why etcd, and why this way: docs/decisions/0006-etcd-store.md. What is not believed of etcd 3.4: store/etcd_follow.h.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/tls.h"
#include "io/loop.h"
#include "store/store.h"

namespace holdfast::store {

struct EtcdOptions {
  std::vector<std::string> endpoints{};  ///< "http://10.0.0.1:2379"; the first is preferred
  std::string prefix = "/holdfast/";     ///< before every key
  std::string user{};                    ///< empty: no password is sent
  std::string password{};
  client::TlsFiles tls{};  ///< of https endpoints
};

inline constexpr std::size_t kEtcdEndpointsMax = 16;

/// Nothing is connected yet. All calls must come from `loop`.
/// Errors: Code::invalid: an endpoint is no URL, there is none or too many, the prefix is none, or a file of TLS cannot
/// be used.
Result<std::unique_ptr<Store>> open_etcd(io::Loop& loop, EtcdOptions options);

}  // namespace holdfast::store
