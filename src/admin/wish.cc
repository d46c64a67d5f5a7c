#include "admin/wish.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "config/units.h"

namespace holdfast::admin {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kExample = R"(send {"state":"open|closed|auto","reason":"…","actor":"…","for":"10m"})";

std::unexpected<Answer> bad(std::string_view what) {
  return std::unexpected(error_answer(400, "bad_request", what, kExample));
}

bool is_of_this_site(const http::RequestHead& head, std::string_view origin) {
  const http::Field* const host = head.find(http::Name::host);
  if (host == nullptr) return false;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (origin.starts_with(scheme) && iequals(origin.substr(scheme.size()), host->value)) return true;
  }
  return false;
}

// Such words go into a line of the log, and into an event.
bool is_one_line(std::string_view words) {
  return std::ranges::none_of(words, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

/// Of a text member; an error unless it is one line of at most `max` bytes.
std::expected<std::string, std::string> words_of(const Json& value, const std::string& name, std::size_t max) {
  if (!value.is_string()) return std::unexpected(name + " is to be a text");
  std::string words = value.get<std::string>();
  if (words.empty()) return std::unexpected(name + " is empty");
  if (words.size() > max) return std::unexpected(name + " is longer than " + std::to_string(max) + " bytes");
  if (!is_one_line(words)) return std::unexpected(name + " is to be one line, without control characters");
  return words;
}

std::expected<Duration, std::string> lasting_of(const Json& value) {
  if (!value.is_string()) return std::unexpected(R"("for" is to be a duration like "10m")");
  const auto duration = config::parse_duration(value.get_ref<const std::string&>());
  if (!duration) return std::unexpected("\"for\": " + duration.error());
  if (*duration <= 0s || *duration > kForceMax) {
    return std::unexpected("\"for\" is to be more than nothing, and at most " + config::write_duration(kForceMax));
  }
  return *duration;
}

/// What is wrong with a member; nothing if it was understood.
std::optional<std::string> take_member(Wish& wish, bool& has_state, const std::string& name, const Json& value) {
  if (name == "state") {
    const std::string word = value.is_string() ? value.get<std::string>() : std::string();
    if (word == "open") wish.state = breaker::State::open;
    if (word == "closed") wish.state = breaker::State::closed;
    has_state = word == "open" || word == "closed" || word == "auto";
    return has_state ? std::nullopt : std::optional<std::string>(R"("state" is to be "open", "closed" or "auto")");
  }
  if (name == "reason" || name == "actor") {
    const bool is_actor = name == "actor";
    auto words = words_of(value, '"' + name + '"', is_actor ? kActorBytesMax : kReasonBytesMax);
    if (!words) return words.error();
    (is_actor ? wish.actor : wish.reason) = std::move(*words);
    return std::nullopt;
  }
  if (name != "for") return "there is no member \"" + name.substr(0, kActorBytesMax) + '"';
  const auto lasting = lasting_of(value);
  if (!lasting) return lasting.error();
  wish.lasting = *lasting;
  return std::nullopt;
}

}  // namespace

std::optional<Answer> refuse_foreign(const http::RequestHead& head) {
  const http::Field* const origin = head.find(http::Name::origin);
  if (origin != nullptr && !is_of_this_site(head, origin->value)) {
    return error_answer(403, "cross_site", "this comes from a page of another site", "use holdfast breaker, or curl");
  }
  const http::Field* const type = head.find(http::Name::content_type);
  const std::string_view media = type == nullptr ? "" : trim(type->value.substr(0, type->value.find(';')));
  if (iequals(media, kJson)) return std::nullopt;
  return error_answer(415, "unsupported_media_type", "the body is not said to be JSON",
                      "send it with Content-Type: application/json");
}

std::expected<Wish, Answer> parse_wish(std::string_view body) {
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object()) return bad("the body is no JSON object");
  Wish wish;
  bool has_state = false;
  for (const auto& [name, value] : json.items()) {
    const std::optional<std::string> wrong = take_member(wish, has_state, name, value);
    if (wrong) return bad(*wrong);
  }
  if (!has_state) return bad(R"(it does not say which "state")");
  if (wish.reason.empty()) return bad("it does not say why: there is no \"reason\"");
  if (!wish.state && wish.lasting) return bad("\"for\" goes with \"open\" and \"closed\": what is auto has no end");
  return wish;
}

}  // namespace holdfast::admin
