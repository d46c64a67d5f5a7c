#include "proxy/guards.h"

#include <gtest/gtest.h>
#include <map>

namespace holdfast::proxy {
namespace {

config::Model model() {
  config::Model model;
  for (const char* name : {"feed", "recommendation", "profile"}) model.services.emplace_back().name = name;
  model.services[0].calls = {"recommendation", "profile"};
  model.services[1].calls = {"profile"};
  model.services[2].breaker.emplace().slow_call = 300ms;
  return model;
}

class Guarded : public testing::Test {
 protected:
  Guards guards_for(const config::Model& model) {
    return Guards(model, [this](const std::string& name) {
      auto& circuit = made_[name];
      if (circuit == nullptr) circuit = std::make_shared<breaker::Circuit>(name, 1);
      return circuit;
    });
  }

  std::map<std::string, std::shared_ptr<breaker::Circuit>> made_;
};

TEST_F(Guarded, a_caller_has_a_breaker_of_its_own) {
  const Guards guards = guards_for(model());
  EXPECT_EQ(guards.find(2, "feed")->name(), "feed->profile");
  EXPECT_EQ(guards.find(2, "recommendation")->name(), "recommendation->profile");
}

TEST_F(Guarded, everybody_else_shares_one) {
  const Guards guards = guards_for(model());
  EXPECT_EQ(guards.find(2, "")->name(), "profile");
  EXPECT_EQ(guards.find(2, "who-made-this-up")->name(), "profile");
}

TEST_F(Guarded, a_service_without_a_breaker_has_none) {
  const Guards guards = guards_for(model());
  EXPECT_EQ(guards.find(0, ""), nullptr);
  EXPECT_EQ(guards.find(1, "feed"), nullptr);
}

TEST_F(Guarded, the_keeper_hears_of_the_same_breakers_with_their_settings) {
  (void)guards_for(model());
  const std::vector<guard::Wanted> wanted = breakers_of(model());
  ASSERT_EQ(wanted.size(), made_.size());
  for (const guard::Wanted& each : wanted) {
    EXPECT_TRUE(made_.contains(each.name)) << each.name;
    EXPECT_EQ(each.settings.slow_call, 300ms);
  }
}

}  // namespace
}  // namespace holdfast::proxy
