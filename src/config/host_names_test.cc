#include "config/host_names.h"

#include <gtest/gtest.h>

namespace holdfast::config {
namespace {

Address address(std::string_view text) { return Address::parse(text).value(); }

Model model_of(std::vector<Endpoint> endpoints) {
  Model model;
  model.services.push_back(Service{.name = "feed", .endpoints = std::move(endpoints)});
  return model;
}

std::vector<std::string> endpoints_of(const Model& model) {
  std::vector<std::string> all;
  for (const Endpoint& each : model.services.front().endpoints) all.push_back(to_string(each.address));
  return all;
}

TEST(HostNames, of_all_services_are_told_once) {
  Model model = model_of({{address("b.test:1")}, {address("a.test:1")}, {address("10.0.0.1:1")}});
  model.services.push_back(Service{.name = "post", .endpoints = {{address("a.test:2")}}});
  EXPECT_EQ(host_names(model), (std::vector<std::string>{"a.test", "b.test"}));
}

TEST(HostNames, stand_for_all_their_addresses_with_what_the_line_says) {
  Endpoint named{.address = address("a.test:90"), .weight = 3, .zone = "east", .backup = true};
  const Model model = with_addresses(model_of({named, {address("10.0.0.9:80")}}),
                                     {{"a.test", {address("10.0.0.1:0"), address("[::1]:0")}}});
  EXPECT_EQ(endpoints_of(model), (std::vector<std::string>{"10.0.0.1:90", "[::1]:90", "10.0.0.9:80"}));
  const Endpoint& first = model.services.front().endpoints.front();
  EXPECT_EQ(first.weight, 3U);
  EXPECT_EQ(first.zone, "east");
  EXPECT_TRUE(first.backup);
  EXPECT_EQ(first.host_name, "a.test");
}

TEST(HostNames, that_nobody_knows_leave_no_endpoint) {
  const Model model = with_addresses(model_of({{address("a.test:90")}}), {});
  EXPECT_TRUE(model.services.front().endpoints.empty());
}

TEST(HostNames, do_not_bring_an_address_in_twice) {
  const Model model =
      with_addresses(model_of({{address("10.0.0.1:80")}, {address("a.test:80")}, {address("b.test:80")}}),
                     {{"a.test", {address("10.0.0.1:0"), address("10.0.0.2:0")}}, {"b.test", {address("10.0.0.2:0")}}});
  EXPECT_EQ(endpoints_of(model), (std::vector<std::string>{"10.0.0.1:80", "10.0.0.2:80"}));
}

}  // namespace
}  // namespace holdfast::config
