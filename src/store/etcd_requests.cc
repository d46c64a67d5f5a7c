// The requests of etcd_codec.h. Field names are those of rpc.proto of etcd 3.4.
#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "store/etcd_base64.h"
#include "store/etcd_codec.h"

namespace holdfast::store::etcd {
namespace {

using Json = nlohmann::json;

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json range(std::string_view prefix) {
  return {{"key", to_base64(prefix)}, {"range_end", to_base64(range_end(prefix))}};
}

bool possible(Revision revision) {
  return revision != 0 && revision <= static_cast<Revision>(std::numeric_limits<std::int64_t>::max());
}

Json to_json(const Compare& compare, std::string_view prefix) {
  Json json{{"key", to_base64(std::string(prefix) + compare.key)}};
  const auto set = [&json](const char* target, const char* result, const char* field, const std::string& value) {
    json["target"] = target;
    json["result"] = result;
    json[field] = value;
  };
  switch (compare.kind) {
    case Compare::Kind::absent: set("CREATE", "EQUAL", "create_revision", "0"); break;
    case Compare::Kind::exists: set("CREATE", "GREATER", "create_revision", "0"); break;
    case Compare::Kind::value: set("VALUE", "EQUAL", "value", to_base64(compare.value)); break;
    case Compare::Kind::created:
    case Compare::Kind::modified:
      // For etcd a key that is not there has the revisions 0, for us it has none, and none above its own numbers.
      if (!possible(compare.revision)) {
        set("CREATE", "LESS", "create_revision", "0");
      } else if (compare.kind == Compare::Kind::created) {
        set("CREATE", "EQUAL", "create_revision", std::to_string(compare.revision));
      } else {
        set("MOD", "EQUAL", "mod_revision", std::to_string(compare.revision));
      }
  }
  return json;
}

Json to_json(const Write& write, std::string_view prefix) {
  const std::string key = std::string(prefix) + write.key;
  switch (write.kind) {
    case Write::Kind::put: {
      Json put{{"key", to_base64(key)}, {"value", to_base64(write.value)}};
      if (write.lease != 0) put["lease"] = std::to_string(static_cast<std::int64_t>(write.lease));
      return {{"request_put", std::move(put)}};
    }
    case Write::Kind::erase: return {{"request_delete_range", {{"key", to_base64(key)}}}};
    case Write::Kind::erase_prefix: return {{"request_delete_range", range(key)}};
  }
  return {};
}

}  // namespace

std::string range_end(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (end.empty()) return std::string(1, '\0');
  end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

std::string range_request(std::string_view prefix, Revision at) {
  Json json = range(prefix);
  if (at != 0) json["revision"] = std::to_string(at);
  return dump(json);
}

std::string count_request(std::string_view prefix, Revision at) {
  Json json = range(prefix);
  json["count_only"] = true;
  if (at != 0) json["revision"] = std::to_string(at);
  return dump(json);
}

std::string newest_request(std::string_view prefix) {
  Json json = range(prefix);
  json["keys_only"] = true;
  json["limit"] = "1";
  json["sort_target"] = "MOD";
  json["sort_order"] = "DESCEND";
  return dump(json);
}

std::string transaction_request(const Transaction& transaction, std::string_view prefix) {
  Json compares = Json::array();
  std::vector<std::string> keys;
  for (const Compare& compare : transaction.compares) {
    compares.push_back(to_json(compare, prefix));
    keys.push_back(compare.key);
  }
  std::ranges::sort(keys);
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  Json failure = Json::array();
  for (const std::string& key : keys) {
    failure.push_back({{"request_range", {{"key", to_base64(std::string(prefix) + key)}}}});
  }
  Json success = Json::array();
  for (const Write& write : transaction.writes) success.push_back(to_json(write, prefix));
  if (transaction.writes.empty()) {
    // etcd answers a transaction without any operation from local memory: a question makes it wait for the others.
    success.push_back({{"request_range", {{"key", to_base64(prefix)}, {"count_only", true}}}});
  }
  return dump({{"compare", std::move(compares)}, {"success", std::move(success)}, {"failure", std::move(failure)}});
}

std::string grant_request(std::int64_t ttl_s) { return dump({{"TTL", std::to_string(ttl_s)}}); }

std::string keep_alive_request(LeaseId lease) {
  return dump({{"ID", std::to_string(static_cast<std::int64_t>(lease))}});
}

std::string revoke_request(LeaseId lease) { return keep_alive_request(lease); }

std::string compact_request(Revision revision) { return dump({{"revision", std::to_string(revision)}}); }

std::string authenticate_request(std::string_view user, std::string_view password) {
  return dump({{"name", user}, {"password", password}});
}

std::string watch_request(std::string_view prefix, Revision from) {
  Json create = range(prefix);
  create["start_revision"] = std::to_string(std::max<Revision>(from, 1));
  create["progress_notify"] = true;
  return dump({{"create_request", std::move(create)}});
}

}  // namespace holdfast::store::etcd
