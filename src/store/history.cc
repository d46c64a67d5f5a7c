#include "store/history.h"

namespace holdfast::store {
namespace {

std::string in_seconds(Instant instant) {
  const auto ms = instant.time_since_epoch() / 1ms;
  const std::string fraction = std::to_string(1000 + ms % 1000);
  return std::to_string(ms / 1000) + "." + fraction.substr(1) + " s";
}

std::string describe(const Compare& compare) {
  switch (compare.kind) {
    case Compare::Kind::absent: return "absent(" + compare.key + ")";
    case Compare::Kind::exists: return "exists(" + compare.key + ")";
    case Compare::Kind::created: return "created(" + compare.key + ")=" + std::to_string(compare.revision);
    case Compare::Kind::modified: return "modified(" + compare.key + ")=" + std::to_string(compare.revision);
    case Compare::Kind::value: return "value(" + compare.key + ")=" + compare.value;
  }
  return {};
}

std::string describe(const Write& write) {
  const std::string lease = write.lease == 0 ? "" : " lease " + std::to_string(write.lease);
  switch (write.kind) {
    case Write::Kind::put: return "put " + write.key + "=" + write.value + lease;
    case Write::Kind::erase: return "erase " + write.key;
    case Write::Kind::erase_prefix: return "erase all " + write.key;
  }
  return {};
}

std::string describe(const Outcome& outcome) {
  switch (outcome.kind) {
    case Outcome::Kind::committed: return "committed at " + std::to_string(outcome.revision);
    case Outcome::Kind::refused: return "refused at " + std::to_string(outcome.revision);
    case Outcome::Kind::unknown: return "unknown (" + outcome.why + ")";
  }
  return {};
}

std::string error_or(std::optional<Code> error, const std::string& done) {
  return error ? "error " + std::string(to_string(*error)) : done;
}

struct Describe {
  std::string operator()(const CommitSeen& seen) const {
    return "commit " + describe(seen.transaction) + " -> " +
           (seen.outcome ? describe(*seen.outcome) : error_or(seen.error, {}));
  }
  std::string operator()(const ReadSeen& seen) const {
    const std::string at = seen.at == 0 ? "" : " at " + std::to_string(seen.at);
    return "read \"" + seen.prefix + '"' + at + " -> " +
           (seen.view ? std::to_string(seen.view->records.size()) + " at " + std::to_string(seen.view->revision)
                      : error_or(seen.error, {}));
  }
  std::string operator()(const LeaseSeen& seen) const {
    const std::string lease = std::to_string(seen.lease);
    switch (seen.kind) {
      case LeaseSeen::Kind::grant:
        return "grant -> " + error_or(seen.error, lease + " until " + in_seconds(seen.lives_until));
      case LeaseSeen::Kind::keep_alive:
        return "keep " + lease + " alive -> " + error_or(seen.error, "until " + in_seconds(seen.lives_until));
      case LeaseSeen::Kind::revoke: return "revoke " + lease + " -> " + error_or(seen.error, "done");
    }
    return {};
  }
  std::string operator()(const CompactSeen& seen) const {
    return "compact " + std::to_string(seen.revision) + " -> " + error_or(seen.error, "done");
  }
};

}  // namespace

std::string describe(const Transaction& transaction) {
  std::string text;
  for (const Compare& each : transaction.compares) text += (text.empty() ? "if " : " and ") + describe(each);
  if (!text.empty()) text += ": ";
  for (const Write& each : transaction.writes)
    text += (&each == transaction.writes.data() ? "" : ", ") + describe(each);
  return text;
}

std::string describe(const Call& call) {
  return "client " + std::to_string(call.client) + " [" + in_seconds(call.began) + " .. " + in_seconds(call.ended) +
         "] " + std::visit(Describe{}, call.what);
}

}  // namespace holdfast::store
