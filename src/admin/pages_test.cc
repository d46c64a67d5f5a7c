// The pages, rendered from a Status made by hand.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "admin/breaker_json.h"
#include "admin/metrics.h"
#include "admin/router.h"
#include "admin/site.h"
#include "admin/views.h"

namespace holdfast::admin {
namespace {

using Json = nlohmann::json;

guard::View a_breaker(const std::string& name) {
  guard::View view;
  view.name = name;
  view.state = breaker::State::ramp;
  view.allowed = 0.25;
  view.reason = "ramps up";
  view.since_us = 1'000'000;
  view.trips = 2;
  view.epoch = 9;
  view.total = 4;
  view.window = {.calls = 30, .failures = 3, .unreachable = 0, .slow = 2, .refused = 0};
  view.refused = 17;
  view.in_flight = 1;
  return view;
}

Status a_status() {
  Status status;
  status.generation = 7;
  status.workers.resize(2);
  status.workers[0].accepted = 10;
  status.workers[0].open = 2;
  status.workers[1].accepted = 20;
  status.workers[1].log_records_dropped = 5;
  status.listeners.resize(1);
  status.listeners[0].name = "web";
  status.listeners[0].addresses = {"127.0.0.1:80", "[::1]:80"};
  status.listeners[0].accepted = 28;
  status.listeners[0].open = 2;
  status.listeners[0].requests = 31;
  status.listeners[0].bad_requests = 1;
  status.listeners[0].local_answers = 4;
  ServiceStatus feed;
  feed.name = "feed";
  feed.balance = "round_robin";
  feed.queued = 4;
  feed.requests = 30;
  feed.retries = 3;
  feed.answers = {1, 0, 25, 0, 0, 4};
  Histogram histogram;
  histogram.record(1ms);
  feed.latency.add(histogram);
  feed.fallbacks = {5, 6, 7, 8};
  EndpointStatus first;
  first.address = "10.0.0.1:9001";
  first.in_flight = 6;
  EndpointStatus second;
  second.address = "10.0.0.2:9001";
  second.weight = 3;
  second.zone = "z2";
  second.backup = true;
  second.state = health::State::ejected;
  second.why = "5 requests failed in a row";
  second.since = "2026-02-28T13:45:09.120Z";
  second.requests = 12;
  second.failures = 5;
  feed.endpoints = {first, second};
  status.services = {feed};
  status.breakers = {a_breaker("feed->profile")};
  return status;
}

TEST(Views, services_have_the_fields_programs_rely_on) {
  const Json page = Json::parse(services_json(a_status()));
  const Json& feed = page.at("items").at(0);
  EXPECT_EQ(feed.at("name"), "feed");
  EXPECT_EQ(feed.at("balance"), "round_robin");
  const Json expected = {{"address", "10.0.0.2:9001"},
                         {"node", nullptr},
                         {"weight", 3},
                         {"state", "ejected"},
                         {"in_flight", 0},
                         {"requests", 12},
                         {"failures", 5},
                         {"zone", "z2"},
                         {"backup", true},
                         {"why", "5 requests failed in a row"},
                         {"since", "2026-02-28T13:45:09.120Z"}};
  EXPECT_EQ(feed.at("endpoints").at(1), expected);
}

TEST(Views, every_list_is_a_list_even_when_empty) {
  for (const std::string& page : {services_json(Status{}), listeners_json(Status{}), breakers_json({})}) {
    EXPECT_EQ(Json::parse(page), (Json{{"items", Json::array()}})) << page;
  }
}

TEST(Views, breakers_have_the_fields_programs_rely_on) {
  guard::View view = a_breaker("feed->profile");
  view.override = guard::OverrideView{breaker::State::open, "anna@ops1", "disk full", 2'000'000, 602'000'000};
  const Json forced = {{"state", "open"},
                       {"actor", "anna@ops1"},
                       {"reason", "disk full"},
                       {"since", "1970-01-01T00:00:02.000Z"},
                       {"until", "1970-01-01T00:10:02.000Z"}};
  const Json expected = {{"name", "feed->profile"},
                         {"state", "ramp"},
                         {"allowed", 0.25},
                         {"mode", "enforce"},
                         {"override", forced},
                         {"reason", "ramps up"},
                         {"since", "1970-01-01T00:00:01.000Z"},
                         {"trips", 2},
                         {"epoch", 9},
                         {"shared", false},
                         {"calls", 30},
                         {"failures", 3},
                         {"slow", 2},
                         {"refused", 17},
                         {"in_flight", 1},
                         {"failure_rate", 0.5},
                         {"slow_rate", 0.5},
                         {"slow_call_ms", 1000},
                         {"minimum_requests", 20},
                         {"consecutive_failures", 0},
                         {"window_ms", 10000},
                         {"open_for_ms", 2000},
                         {"max_open_for_ms", 60000},
                         {"probes", 3},
                         {"ramp_ms", 10000}};
  EXPECT_EQ(Json::parse(breaker_json(view)), expected);
  view.override->until_us.reset();
  EXPECT_EQ(Json::parse(breaker_json(view)).at("override").at("until"), nullptr);
  EXPECT_EQ(Json::parse(breaker_json(a_breaker("x"))).at("override"), nullptr);
}

TEST(Views, a_caller_sees_its_own_breakers_and_those_of_nobody_in_particular) {
  std::vector<guard::View> all;
  for (const char* name : {"ads->profile", "feed->profile", "post", "profile"}) all.push_back(a_breaker(name));
  const auto names = [&](const std::string& caller) {
    std::vector<std::string> found;
    for (const guard::View& each : of_caller(all, caller)) found.push_back(each.name);
    return found;
  };
  EXPECT_EQ(names("feed"), (std::vector<std::string>{"feed->profile", "post"}));
  EXPECT_EQ(names("site"), (std::vector<std::string>{"post", "profile"}));
  EXPECT_EQ(names("").size(), 4U);
}

TEST(Views, listeners_show_each_bound_address_and_what_came_in) {
  const Json page = Json::parse(listeners_json(a_status()));
  const Json& web = page.at("items").at(0);
  EXPECT_EQ(web.at("addresses"), (Json{"127.0.0.1:80", "[::1]:80"}));
  EXPECT_EQ(web.at("connections"), 28);
  EXPECT_EQ(web.at("connections_open"), 2);
  EXPECT_EQ(web.at("requests"), 31);
  EXPECT_EQ(web.at("bad_requests"), 1);
  EXPECT_EQ(web.at("local_answers"), 4);
}

TEST(Views, an_endpoint_that_nobody_watches_has_no_since) {
  const Json page = Json::parse(services_json(a_status()));
  EXPECT_EQ(page.at("items").at(0).at("endpoints").at(0).at("since"), nullptr);
}

TEST(Views, words_that_are_no_utf8_do_not_spoil_the_page) {
  Status status = a_status();
  status.services[0].endpoints[0].why = "\xff\xfe";
  EXPECT_TRUE(Json::accept(services_json(status)));
}

TEST(Metrics, the_store_is_told_of_where_there_is_one) {
  Status status = a_status();
  EXPECT_EQ(metrics_text(status).find("holdfast_store_in_touch"), std::string::npos);
  status.standing.store_in_touch = false;
  EXPECT_NE(metrics_text(status).find("\nholdfast_store_in_touch 0\n"), std::string::npos);
  status.standing.store_in_touch = true;
  EXPECT_NE(metrics_text(status).find("\nholdfast_store_in_touch 1\n"), std::string::npos);
}

TEST(Metrics, each_number_stands_with_its_labels) {
  const std::string text = metrics_text(a_status());
  for (const std::string line : {
           "holdfast_configuration_generation 7",
           "holdfast_draining 0",
           "holdfast_connections_accepted_total{worker=\"0\"} 10",
           "holdfast_connections_accepted_total{worker=\"1\"} 20",
           "holdfast_connections_open{worker=\"0\"} 2",
           "holdfast_access_log_dropped_total{worker=\"1\"} 5",
           "holdfast_listener_connections_accepted_total{listener=\"web\"} 28",
           "holdfast_listener_connections_open{listener=\"web\"} 2",
           "holdfast_listener_requests_total{listener=\"web\"} 31",
           "holdfast_listener_bad_requests_total{listener=\"web\"} 1",
           "holdfast_listener_local_answers_total{listener=\"web\"} 4",
           "holdfast_service_answers_total{service=\"feed\",class=\"2xx\"} 25",
           "holdfast_service_answers_total{service=\"feed\",class=\"none\"} 1",
           "holdfast_service_queued{service=\"feed\"} 4",
           "holdfast_service_latency_seconds_bucket{service=\"feed\",le=\"0.000512\"} 0",
           "holdfast_service_latency_seconds_bucket{service=\"feed\",le=\"0.001024\"} 1",
           "holdfast_service_latency_seconds_bucket{service=\"feed\",le=\"+Inf\"} 1",
           "holdfast_service_latency_seconds_sum{service=\"feed\"} 0.001",
           "holdfast_endpoint_in_flight{service=\"feed\",endpoint=\"10.0.0.1:9001\"} 6",
           "holdfast_endpoint_failures_total{service=\"feed\",endpoint=\"10.0.0.2:9001\"} 5",
           "holdfast_endpoint_state{service=\"feed\",endpoint=\"10.0.0.2:9001\",state=\"ejected\"} 1",
           "holdfast_fallbacks_total{service=\"feed\",kind=\"stale\"} 5",
           "holdfast_fallbacks_total{service=\"feed\",kind=\"service\"} 6",
           "holdfast_fallbacks_total{service=\"feed\",kind=\"file\"} 7",
           "holdfast_fallbacks_total{service=\"feed\",kind=\"refused\"} 8",
           "holdfast_breaker_state{breaker=\"feed->profile\",state=\"ramp\"} 1",
           "holdfast_breaker_state{breaker=\"feed->profile\",state=\"open\"} 0",
           "holdfast_breaker_allowed{breaker=\"feed->profile\"} 0.25",
           "holdfast_breaker_in_flight{breaker=\"feed->profile\"} 1",
           "holdfast_breaker_trips_total{breaker=\"feed->profile\"} 4",
           "holdfast_breaker_refused_total{breaker=\"feed->profile\"} 17",
           "holdfast_endpoint_state{service=\"feed\",endpoint=\"10.0.0.2:9001\",state=\"healthy\"} 0",
       }) {
    EXPECT_NE(text.find("\n" + line + "\n"), std::string::npos) << line;
  }
}

TEST(Metrics, counts_are_exact_far_beyond_a_million) {
  Status status = a_status();
  status.services[0].requests = 12'345'678'901;
  EXPECT_NE(metrics_text(status).find("holdfast_service_requests_total{service=\"feed\"} 12345678901\n"),
            std::string::npos);
}

TEST(Router, every_page_can_be_read_and_only_a_breaker_written) {
  for (const Route& each : kPages) {
    EXPECT_EQ(std::get<Routed>(route(http::Method::get, each.path)).page, each.page);
    EXPECT_EQ(std::get<Routed>(route(http::Method::head, each.path)).page, each.page);
    EXPECT_EQ(std::get<Answer>(route(http::Method::post, each.path)).status, 405);
    if (each.page == Page::breaker) continue;
    const Answer refused = std::get<Answer>(route(http::Method::put, each.path));
    EXPECT_EQ(refused.status, 405);
    EXPECT_EQ(refused.allow, "GET, HEAD");
  }
}

TEST(Router, a_breaker_has_its_name_in_the_path) {
  const Routed routed = std::get<Routed>(route(http::Method::put, "/v1/breakers/feed-%3eprofile"));
  EXPECT_EQ(routed.page, Page::breaker);
  EXPECT_EQ(routed.name, "feed->profile");
  EXPECT_EQ(std::get<Answer>(route(http::Method::get, "/v1/breakers/feed-%3")).status, 400);
  EXPECT_EQ(std::get<Answer>(route(http::Method::get, "/v1/breakers/feed-%xy")).status, 400);
  EXPECT_EQ(std::get<Answer>(route(http::Method::get, "/v1/breakers/")).status, 404);
}

TEST(Router, an_unknown_path_is_told_what_there_is) {
  for (const std::string_view path : {"/", "/healthz/", "/v1", "/V1/services", "*"}) {
    const Answer answer = std::get<Answer>(route(http::Method::get, path));
    EXPECT_EQ(answer.status, 404);
    const Json error = Json::parse(answer.body).at("error");
    EXPECT_EQ(error.at("code"), "not_found");
    EXPECT_NE(error.at("remedy").get<std::string>().find("/v1/services"), std::string::npos);
  }
}

TEST(Router, a_path_of_any_bytes_is_answered_in_json) {
  const std::string path = "/" + std::string(5000, '\xc3');
  const Answer answer = std::get<Answer>(route(http::Method::get, path));
  EXPECT_TRUE(Json::accept(answer.body));
  EXPECT_LT(answer.body.size(), 2000U);
}

TEST(Site, health_says_when_we_drain) {
  EXPECT_EQ(render(Page::healthz, {}).status, 200);
  Status draining;
  draining.standing.draining = true;
  EXPECT_EQ(render(Page::healthz, draining).status, 503);
}

TEST(Answer, a_message_is_framed_and_says_whether_the_connection_goes_on) {
  const Answer answer{.status = 200, .content_type = kText, .body = "ok\n"};
  EXPECT_EQ(to_bytes(answer, {.to_head = false, .keep_alive = true}),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\n"
            "Cache-Control: no-store\r\nConnection: keep-alive\r\n\r\nok\n");
  EXPECT_TRUE(to_bytes(answer, {.to_head = true, .keep_alive = false})
                  .ends_with("3\r\nCache-Control: no-store\r\n"
                             "Connection: close\r\n\r\n"));
}

TEST(Answer, what_is_known_already_has_no_body_and_no_length) {
  EXPECT_EQ(to_bytes(not_modified("W/\"1\""), {.to_head = false, .keep_alive = true}),
            "HTTP/1.1 304 Not Modified\r\nETag: W/\"1\"\r\nCache-Control: no-store\r\nConnection: keep-alive\r\n\r\n");
}

}  // namespace
}  // namespace holdfast::admin
