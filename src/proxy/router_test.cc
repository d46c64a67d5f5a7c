#include "proxy/router.h"

#include <gtest/gtest.h>

namespace holdfast::proxy {
namespace {

using Kind = config::HostPattern::Kind;

config::Model three_services() {
  config::Model model;
  for (const char* name : {"feed", "site", "old"}) {
    config::Service service;
    service.name = name;
    model.services.push_back(service);
  }
  return model;
}

config::Route to(std::string service, config::HostPattern host = {}, std::string path = "/") {
  config::Route route;
  route.host = std::move(host);
  route.path = std::move(path);
  route.answer = std::move(service);
  return route;
}

TEST(Router, the_first_match_in_file_order_wins_over_the_more_specific_one) {
  const config::Model model = three_services();
  config::Listener listener;
  listener.routes = {to("old", {}, "/old/"), to("feed", {Kind::exact, "feed.example.com"}, "/api/"),
                     to("site", {Kind::suffix, ".example.com"}), to("feed", {Kind::exact, "feed.example.com"})};
  const Router router(listener, model);
  EXPECT_EQ(router.route("feed.example.com", "/old/x").service, 2U);
  EXPECT_EQ(router.route("FEED.example.com", "/api/x").service, 0U);
  EXPECT_EQ(router.route("feed.example.com", "/").service, 1U) << "the wildcard stands before";
  EXPECT_EQ(router.route("www.example.com", "/").service, 1U);
  EXPECT_FALSE(router.route("example.com", "/").found()) << "a wildcard needs a label";
  EXPECT_FALSE(router.route("elsewhere.org", "/").found());
}

TEST(Router, by_service_name_takes_the_host_for_the_service) {
  const config::Model model = three_services();
  config::Listener listener;
  listener.by_service_name = true;
  const Router router(listener, model);
  EXPECT_EQ(router.route("site", "/any").service, 1U);
  EXPECT_FALSE(router.route("nobody", "/").found());
}

TEST(Router, a_host_longer_than_any_name_matches_only_routes_without_host) {
  const config::Model model = three_services();
  config::Listener listener;
  listener.routes = {to("feed", {Kind::suffix, ".a"}), to("site")};
  const Router router(listener, model);
  EXPECT_EQ(router.route(std::string(300, 'x') + ".a", "/").service, 1U);
}

TEST(Router, a_redirect_is_found_like_a_service) {
  const config::Model model = three_services();
  config::Listener listener;
  config::Route route;
  route.path = "/old";
  route.answer = config::Redirect{"/new", 308};
  listener.routes = {route};
  const Router router(listener, model);
  ASSERT_NE(router.route("x", "/old/page").redirect, nullptr);
  EXPECT_EQ(router.route("x", "/old").redirect->status, 308);
}

}  // namespace
}  // namespace holdfast::proxy
