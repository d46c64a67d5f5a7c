#include "admin/event_pages.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "admin/query.h"
#include "base/rfc3339.h"
#include "base/text.h"

namespace holdfast::admin {
namespace {

using Json = nlohmann::ordered_json;

/// In one piece to a follower: what is written at once.
constexpr std::size_t kEventsPerPiece = 100;

Json to_json(const journal::Event& event) {
  std::string time;
  append_rfc3339(time, event.wall_us);
  Json json;
  json["sequence"] = event.sequence;
  json["time"] = std::move(time);
  json["subject"] = event.subject;
  json["what"] = event.what;
  json["why"] = event.why;
  json["actor"] = event.actor;
  return json;
}

std::string print(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

/// What the query asks for; none where it says nothing.
struct Asked {
  std::optional<std::uint64_t> since{};
  std::optional<std::uint64_t> limit{};
};

std::expected<Asked, Answer> read_query(const http::RequestHead& head) {
  const auto since = number_of(head, "since");
  if (!since) return std::unexpected(since.error());
  const auto limit = number_of(head, "limit");
  if (!limit) return std::unexpected(limit.error());
  if (limit->value_or(1) == 0 || limit->value_or(1) > journal::kEventsMax) {
    return std::unexpected(error_answer(400, "bad_query", "there is no such limit",
                                        "limit=1 to limit=" + std::to_string(journal::kEventsMax)));
  }
  return Asked{*since, *limit};
}

/// The number after which a follower is told.
std::uint64_t first_told(const http::RequestHead& head, const Asked& asked, const journal::Journal& journal) {
  if (const http::Field* const last = head.find("last-event-id")) {
    if (const auto number = parse_number<std::uint64_t>(last->value)) return *number;
  }
  if (asked.since) return *asked.since;
  if (!asked.limit) return journal.newest_sequence();
  const std::vector<journal::Event> newest = journal.newest(*asked.limit);
  return newest.empty() ? 0 : newest.front().sequence - 1;
}

/// What is newer than `last`, which becomes the newest of it.
std::string news(const journal::Journal& journal, std::uint64_t& last) {
  if (journal.newest_sequence() < last) last = 0;  // another journal: numbers began anew
  std::string text;
  for (const journal::Event& event : journal.since(last, kEventsPerPiece)) {
    text += "id: " + std::to_string(event.sequence) + "\ndata: " + print(to_json(event)) + "\n\n";
    last = event.sequence;
  }
  return text;
}

}  // namespace

Answer list_events(const http::RequestHead& head, const journal::Journal& journal) {
  const auto asked = read_query(head);
  if (!asked) return asked.error();
  const std::size_t limit = asked->limit.value_or(kEventsShown);
  Json page;
  page["items"] = Json::array();
  for (const journal::Event& event : asked->since ? journal.since(*asked->since, limit) : journal.newest(limit)) {
    page["items"].push_back(to_json(event));
  }
  return {.status = 200, .content_type = kJson, .body = print(page) + "\n"};
}

io::Task<Answer> follow_events(Ref<Visit> visit, Ref<journal::Journal> journal) {
  const auto asked = read_query(visit->head);
  if (!asked) co_return asked.error();
  if (visit->head.method == http::Method::head) {
    Answer answer{.status = 200, .content_type = kEventStream};
    co_return answer;
  }
  if (!visit->take_place()) {
    co_return error_answer(503, "overloaded", "nobody else can follow now", "come back later, or GET /v1/events");
  }
  std::optional<std::uint64_t> last;
  std::string piece = stream_head(kEventStream) + ": events of holdfast\n\n";
  Instant heartbeat = visit->now() + kHeartbeat;
  bool goes_on = true;
  while (goes_on && !visit->is_over()) {
    // Who wants to hear of what is new must not be told all that the store has as soon as it is read.
    if (!last && journal->has_read()) last = first_told(visit->head, *asked, *journal);
    if (last) piece += news(*journal, *last);
    if (piece.empty() && visit->now() >= heartbeat) piece = ":\n\n";
    if (piece.empty()) {
      co_await visit->wait(journal->followers(), heartbeat);
      continue;
    }
    heartbeat = visit->now() + kHeartbeat;
    std::string now = std::exchange(piece, {});
    goes_on = co_await visit->send(std::move(now));
  }
  Answer answer{.is_told = true};
  co_return answer;
}

}  // namespace holdfast::admin
