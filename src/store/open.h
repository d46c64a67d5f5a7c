// open(): the store that a file names.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "config/model.h"
#include "io/loop.h"
#include "store/store.h"

namespace holdfast::store {

/// `cluster` is the name of the cluster: on an etcd that several share it is part of every key.
/// Blocks: where another process holds a SQLite file, for `patience`.
/// Errors: SQLite: the file cannot be opened, or is damaged. etcd: a certificate or password file cannot be used; its
/// members are not asked before they are needed.
Result<std::unique_ptr<Store>> open(io::Loop& loop, const config::StoreAddress& address, const std::string& cluster,
                                    Duration patience);

}  // namespace holdfast::store
