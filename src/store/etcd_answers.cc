// The answers of etcd_codec.h. No exception leaves this file: what is missing or of another kind reads as zero where
// etcd leaves out zeros, and as Code::protocol where it cannot be zero.
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "store/etcd_base64.h"
#include "store/etcd_codec.h"

namespace holdfast::store::etcd {
namespace {

using Json = nlohmann::json;

std::unexpected<Error> garbled(std::string_view text) {
  constexpr std::size_t kShown = 100;
  return fail(Code::protocol, Side::store, "not an answer of etcd: " + std::string(text.substr(0, kShown)));
}

Json parse(std::string_view text) { return Json::parse(text, nullptr, false); }

const Json& part(const Json& json, const char* name) {
  static const Json nothing;
  if (!json.is_object()) return nothing;
  const auto found = json.find(name);
  return found == json.end() ? nothing : *found;
}

/// A 64-bit number, as a string or plain; 0 if it is not there.
std::int64_t number(const Json& json, const char* name) {
  const Json& value = part(json, name);
  if (value.is_number_unsigned()) return static_cast<std::int64_t>(value.get<std::uint64_t>());
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (!value.is_string()) return 0;
  const auto& text = value.get_ref<const std::string&>();
  if (const auto positive = parse_number<std::uint64_t>(text)) return static_cast<std::int64_t>(*positive);
  std::int64_t negative = 0;
  std::from_chars(text.data(), text.data() + text.size(), negative);
  return negative;
}

std::uint64_t natural(const Json& json, const char* name) { return static_cast<std::uint64_t>(number(json, name)); }

std::string text(const Json& json, const char* name) {
  const Json& value = part(json, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

bool flag(const Json& json, const char* name) {
  const Json& value = part(json, name);
  return value.is_boolean() && value.get<bool>();
}

/// False if it is there and is not base64.
bool bytes(const Json& json, const char* name, std::string& into) {
  const Json& value = part(json, name);
  if (value.is_null()) return true;
  if (!value.is_string()) return false;
  std::optional<std::string> decoded = from_base64(value.get_ref<const std::string&>());
  if (!decoded) return false;
  into = std::move(*decoded);
  return true;
}

std::optional<Header> header(const Json& json) {
  const Json& head = part(json, "header");
  if (!head.is_object()) return std::nullopt;
  return Header{natural(head, "cluster_id"), natural(head, "member_id"), natural(head, "revision")};
}

std::optional<Record> record(const Json& json) {
  Record record;
  if (!bytes(json, "key", record.key) || !bytes(json, "value", record.value)) return std::nullopt;
  record.created = natural(json, "create_revision");
  record.modified = natural(json, "mod_revision");
  record.lease = natural(json, "lease");
  if (record.key.empty() || record.modified == 0) return std::nullopt;
  return record;
}

bool add_records(const Json& range, std::vector<Record>& records) {
  const Json& found = part(range, "kvs");
  if (found.is_null()) return true;
  if (!found.is_array()) return false;
  for (const Json& each : found) {
    std::optional<Record> one = record(each);
    if (!one) return false;
    records.push_back(std::move(*one));
  }
  return true;
}

bool add_events(const Json& events, std::vector<Event>& into) {
  if (events.is_null()) return true;
  if (!events.is_array()) return false;
  for (const Json& each : events) {
    std::optional<Record> one = record(part(each, "kv"));
    if (!one) return false;
    const bool erased = text(each, "type") == "DELETE";
    into.push_back({erased ? Event::Kind::erased : Event::Kind::put, std::move(*one)});
  }
  return true;
}

LeaseAnswer lease(const Json& json, const Header& head) { return {head, natural(json, "ID"), number(json, "TTL")}; }

}  // namespace

Result<RangeAnswer> read_range(std::string_view text) {
  const Json json = parse(text);
  const std::optional<Header> head = header(json);
  RangeAnswer answer;
  if (!head || head->revision == 0 || head->cluster == 0 || !add_records(json, answer.records)) return garbled(text);
  answer.header = *head;
  answer.count = natural(json, "count");
  return answer;
}

Result<TransactionAnswer> read_transaction(std::string_view text) {
  const Json json = parse(text);
  const std::optional<Header> head = header(json);
  if (!head || head->revision == 0) return garbled(text);
  TransactionAnswer answer{*head, flag(json, "succeeded"), {}};
  if (answer.succeeded) return answer;
  const Json& responses = part(json, "responses");
  if (!responses.is_array() && !responses.is_null()) return garbled(text);
  for (const Json& each : responses) {
    if (!add_records(part(each, "response_range"), answer.found)) return garbled(text);
  }
  return answer;
}

Result<LeaseAnswer> read_lease(std::string_view text) {
  const Json json = parse(text);
  const std::optional<Header> head = header(json);
  if (!head || natural(json, "ID") == 0) return garbled(text);
  return lease(json, *head);
}

Result<LeaseAnswer> read_keep_alive(std::string_view line) {
  const Json json = parse(line);
  if (part(json, "error").is_object()) return std::unexpected<Error>(read_error(200, line).error);
  const Json& result = part(json, "result");
  const std::optional<Header> head = header(result);
  if (!head || natural(result, "ID") == 0) return garbled(line);
  return lease(result, *head);
}

Result<StatusAnswer> read_status(std::string_view json_text) {
  const Json json = parse(json_text);
  const std::optional<Header> head = header(json);
  if (!head) return garbled(json_text);
  StatusAnswer answer{*head, text(json, "version"), natural(json, "dbSize"), natural(json, "leader"), {}};
  for (const Json& each : part(json, "errors")) {
    if (each.is_string()) answer.errors.push_back(each.get<std::string>());
  }
  return answer;
}

Result<std::vector<MemberAnswer>> read_members(std::string_view json_text) {
  const Json json = parse(json_text);
  const Json& members = part(json, "members");
  if (!members.is_array()) return garbled(json_text);
  std::vector<MemberAnswer> answer;
  for (const Json& each : members) {
    const Json& urls = part(each, "clientURLs");
    const bool has_url = urls.is_array() && !urls.empty() && urls.front().is_string();
    answer.push_back({natural(each, "ID"), text(each, "name"), has_url ? urls.front().get<std::string>() : "",
                      flag(each, "isLearner")});
  }
  return answer;
}

Result<Header> read_header(std::string_view text) {
  const std::optional<Header> head = header(parse(text));
  if (!head) return garbled(text);
  return *head;
}

Result<std::string> read_token(std::string_view json_text) {
  std::string token = text(parse(json_text), "token");
  if (token.empty()) return fail(Code::protocol, Side::store, "etcd's answer to the password holds no token");
  return token;
}

Result<WatchAnswer> read_watch(std::string_view line) {
  const Json json = parse(line);
  if (!part(json, "error").is_null()) return std::unexpected<Error>(read_error(200, line).error);
  const Json& result = part(json, "result");
  const std::optional<Header> head = header(result);
  WatchAnswer answer;
  if (!head || !add_events(part(result, "events"), answer.events)) return garbled(line);
  answer.header = *head;
  answer.created = flag(result, "created");
  answer.canceled = flag(result, "canceled");
  answer.compacted = natural(result, "compact_revision");
  answer.reason = text(result, "cancel_reason");
  return answer;
}

}  // namespace holdfast::store::etcd
