#include "journal/event.h"

#include <nlohmann/json.hpp>

#include "base/rfc3339.h"

namespace holdfast::journal {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kTimeDigits = 16;
constexpr std::size_t kChanceDigits = 8;

void append_hex(std::string& out, std::uint64_t number, std::size_t digits) {
  for (std::size_t i = digits; i-- > 0;) out.push_back("0123456789abcdef"[(number >> (4 * i)) & 0xf]);
}

std::string words(const std::string& text) { return text.substr(0, kWordsMax); }

std::unexpected<Error> invalid(std::string what) { return fail(Code::invalid, Side::store, std::move(what)); }

bool read_words(const Json& json, const char* name, std::string& into) {
  const auto found = json.find(name);
  if (found == json.end()) return true;
  if (!found->is_string()) return false;
  into = words(found->get_ref<const std::string&>());
  return true;
}

}  // namespace

store::Write write_event(const Event& event, Prng& prng) {
  std::string key(kEventPrefix);
  append_hex(key, static_cast<std::uint64_t>(event.wall_us), kTimeDigits);
  key.push_back('-');
  append_hex(key, prng.next(), kChanceDigits);
  std::string time;
  append_rfc3339(time, event.wall_us);
  const nlohmann::ordered_json json{{"time", time},
                                    {"subject", words(event.subject)},
                                    {"what", words(event.what)},
                                    {"why", words(event.why)},
                                    {"actor", words(event.actor)}};
  constexpr auto kReplace = Json::error_handler_t::replace;  // words may come from anywhere
  return store::Write::put(std::move(key), json.dump(-1, ' ', false, kReplace));
}

Result<Event> parse_event(const store::Record& record) {
  const Json json = Json::parse(record.value, nullptr, false);
  if (!json.is_object()) return invalid("it is no JSON object");
  Event event;
  event.sequence = record.created;
  std::string time;
  if (!read_words(json, "time", time)) return invalid("its time is no text");
  const std::optional<std::int64_t> wall_us = parse_rfc3339(time);
  if (!wall_us) return invalid("its time is not like 2026-01-31T12:00:00.000Z");
  event.wall_us = *wall_us;
  if (!read_words(json, "subject", event.subject)) return invalid("its subject is no text");
  if (!read_words(json, "what", event.what)) return invalid("its what is no text");
  if (!read_words(json, "why", event.why)) return invalid("its why is no text");
  if (!read_words(json, "actor", event.actor)) return invalid("its actor is no text");
  return event;
}

}  // namespace holdfast::journal
