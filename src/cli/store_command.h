// `holdfast store …`: looks into the common database, and writes to it, from the shell.
#pragma once

#include <optional>
#include <string>

#include "base/time.h"
#include "store/record.h"

namespace holdfast::cli {

struct StoreOptions {
  enum class Action : unsigned char { get, put, erase, watch, dump, compact, check };
  Action action = Action::get;
  std::string store{};                 ///< empty: what the file says
  std::string file = "holdfast.yaml";  ///< read only where `store` is empty
  std::string cluster{};               ///< empty: what the file says, else "holdfast"
  bool json = false;
  Duration timeout = 5s;

  std::string key{};                          ///< or a prefix
  std::string value{};                        ///< of put
  bool prefix = false;                        ///< get, delete: all below the key
  bool if_absent = false;                     ///< put: only if nothing is there
  std::optional<store::Revision> if_at{};     ///< put, delete: only if it was last modified then
  std::optional<Duration> lasting{};          ///< put: it goes after so long
  std::optional<store::Revision> revision{};  ///< get: as of then; watch: from then; compact: up to then
};

/// 0 done, 1 refused or failed.
int run_store(StoreOptions options);

}  // namespace holdfast::cli
