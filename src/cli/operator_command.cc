#include "cli/operator_command.h"

#include <cstdio>
#include <poll.h>
#include <pwd.h>
#include <unistd.h>

#include "cli/admin_client.h"
#include "cli/operator_output.h"
#include "io/scope.h"
#include "io/signals.h"

namespace holdfast::cli {
namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr Duration kTimeout = 10s;  ///< of one request that does not wait
constexpr Duration kPoll = 30s;     ///< as kPollTarget says it
constexpr const char* kPollTarget = "/v1/breakers?wait=30s";
constexpr Duration kAgain = 1s;     ///< until we ask again who did not answer
constexpr Duration kSilence = 40s;  ///< a follower who hears nothing for so long, not even a heartbeat, was cut off
constexpr std::size_t kActorMax = 100;

// One run of a command.
struct Session : Pinned {
  Session(io::Loop& loop_, client::Url url, const OperatorOptions& options_)
      : loop(loop_), stop(), admin(loop_, std::move(url)), options(options_) {}

  io::Loop& loop;
  io::Stop stop;
  AdminClient admin;
  const OperatorOptions& options;
  bool is_told = false;  ///< that nobody answers
  std::uint64_t last = 0;
  int exit_status = kDone;
};

void complain(const std::string& what) { std::fprintf(stderr, "holdfast: %s\n", what.c_str()); }

int fail_with(const Error& error) {
  complain(error.what);
  return kFailed;
}

/// Who reads what we print has gone, as `head` does when it has enough.
bool reader_is_gone() {
  pollfd out{STDOUT_FILENO, 0, 0};
  return ::poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

void print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

bool is_terminal() { return ::isatty(STDOUT_FILENO) == 1; }

std::string this_actor() {
  const passwd* const user = ::getpwuid(::getuid());
  char host[256] = "";
  if (::gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
  const std::string name = user == nullptr ? std::to_string(::getuid()) : user->pw_name;
  return (name + '@' + host).substr(0, kActorMax);
}

// ---- breakers

void show_breakers(const OperatorOptions& options, const AdminClient::Page& page) {
  if (options.json) return print(page.text);
  constexpr const char* kClear = "\x1b[H\x1b[2J";
  const bool colours = is_terminal();
  print((options.follow && colours ? kClear : "") + breaker_table(page.json, colours));
}

io::Task<> pause_after(Ref<Session> session, Error error) {
  if (!session->is_told) complain(error.what + "; trying again");
  session->is_told = true;
  co_await io::sleep_until(session->loop, session->loop.now() + kAgain, session->stop);
}

io::Task<int> breakers(Ref<Session> session) {
  std::string target = "/v1/breakers";
  std::string etag;
  bool seen = false;
  while (true) {
    const Instant began = session->loop.now();
    const Deadline deadline = began + kPoll + kTimeout;
    std::string asked = target;
    std::string known = etag;
    Result<AdminClient::Page> page = co_await session->admin.get(std::move(asked), std::move(known), deadline);
    if (!page && !seen) co_return fail_with(page.error());
    if (!page) {
      Error error = page.error();
      co_await pause_after(session, std::move(error));
      continue;
    }
    session->is_told = false;
    if (page->status == 200) show_breakers(session->options, *page);
    if (!session->options.follow || reader_is_gone()) co_return kDone;
    // No news, and at once: there is no place to wait now.
    const Instant now = session->loop.now();
    if (page->status == 304 && now - began < kAgain)
      co_await io::sleep_until(session->loop, now + kAgain, session->stop);
    seen = true;
    target = kPollTarget;
    etag = page->etag;
  }
}

io::Task<int> breaker(Ref<Session> session) {
  const OperatorOptions& options = session->options;
  Json wish{{"state", options.state},
            {"reason", options.reason},
            {"actor", options.actor.empty() ? this_actor() : options.actor}};
  if (!options.lasting.empty()) wish["for"] = options.lasting;
  std::string body = wish.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string target = "/v1/breakers/" + percent_encode(options.name);
  const Deadline deadline = session->loop.now() + kTimeout;
  const Result<AdminClient::Page> page = co_await session->admin.put(std::move(target), std::move(body), deadline);
  if (!page) co_return fail_with(page.error());
  print(options.json ? page->text : breaker_line(page->json) + '\n');
  co_return kDone;
}

// ---- events

void show_event(Session& session, const Json& event) {
  if (!event.is_object()) return;
  if (event.contains("sequence") && event["sequence"].is_number_unsigned()) session.last = event["sequence"];
  constexpr auto kReplace = Json::error_handler_t::replace;
  print((session.options.json ? event.dump(-1, ' ', false, kReplace) : event_words(event)) + '\n');
}

// Takes whole lines; events have one line of data each.
void take_lines(Session& session, std::string& received) {
  constexpr std::string_view kData = "data: ";
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = received.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string_view line = std::string_view(received).substr(begin, end - begin);
    if (line.starts_with(kData)) show_event(session, Json::parse(line.substr(kData.size()), nullptr, false));
  }
  received.erase(0, begin);
}

// Until the connection ends, with the reason; it always does one day.
io::Task<Error> follow(Ref<Session> session, std::string target) {
  const Deadline deadline = session->loop.now() + kTimeout;
  Result<std::unique_ptr<client::Incoming>> incoming = co_await session->admin.follow(std::move(target), deadline);
  if (!incoming) co_return incoming.error();
  session->is_told = false;
  std::string received;
  while (true) {
    const Result<std::string> piece = co_await (*incoming)->next(session->loop.now() + kSilence);
    if (!piece) co_return piece.error();
    if (piece->empty()) break;
    received += *piece;
    take_lines(*session, received);
    if (reader_is_gone()) break;
  }
  Error ended{Code::closed, Side::upstream, "the admin API ended the connection"};
  co_return ended;
}

io::Task<int> events(Ref<Session> session) {
  const OperatorOptions& options = session->options;
  std::string target = "/v1/events?limit=" + std::to_string(options.limit);
  std::string known;
  const Deadline deadline = session->loop.now() + kTimeout;
  const Result<AdminClient::Page> page = co_await session->admin.get(std::move(target), std::move(known), deadline);
  if (!page) co_return fail_with(page.error());
  if (options.json && !options.follow) {
    print(page->text);
    co_return kDone;
  }
  if (page->json.contains("items")) {
    for (const Json& event : page->json["items"]) show_event(*session, event);
  }
  while (options.follow && !reader_is_gone()) {
    std::string stream = "/v1/events?follow&since=" + std::to_string(session->last);
    Error error = co_await follow(session, std::move(stream));
    if (reader_is_gone()) break;
    co_await pause_after(session, std::move(error));
  }
  co_return kDone;
}

io::Task<> live(Ref<Session> session) {
  switch (session->options.action) {
    case OperatorOptions::Action::breakers: session->exit_status = co_await breakers(session); break;
    case OperatorOptions::Action::breaker: session->exit_status = co_await breaker(session); break;
    case OperatorOptions::Action::events: session->exit_status = co_await events(session); break;
  }
  session->loop.stop();
}

}  // namespace

int run_operator(const OperatorOptions& options) {
  Result<client::Url> url = find_admin(options.admin);
  if (!url) return fail_with(url.error());
  io::ignore_broken_pipes();
  io::Loop loop;
  Session session(loop, std::move(*url), options);
  io::Scope tasks(loop);
  tasks.add(live(session));
  loop.run();
  while (tasks.size() != 0) loop.run_once();
  return session.exit_status;
}

}  // namespace holdfast::cli
