#include "config/load.h"

#include <algorithm>
#include <random>
#include <vector>

#include "config/test_support.h"

namespace holdfast::config {
namespace {

Model example() {
  const auto loaded = load(read_text(testdata("example.yaml")), test_environment());
  EXPECT_TRUE(loaded) << (loaded ? "" : to_string("example.yaml", loaded.error().front()));
  return loaded.value_or(Model{});
}

TEST(Load, the_smallest_file_takes_every_default) {
  const auto model = load(file_with(""), test_environment());
  ASSERT_TRUE(model) << problems_of(file_with(""));
  Listener web{.name = "web", .bind = {*Address::parse("127.0.0.1:0")}};
  web.routes.push_back({.answer = "feed"});
  const Service feed{.name = "feed", .endpoints = {{.address = *Address::parse("10.0.0.1:80")}}};
  EXPECT_EQ(*model, (Model{.listeners = {web}, .services = {feed}}));
}

TEST(Load, the_designs_example_means_what_it_says) {
  const Model model = example();
  EXPECT_EQ(to_string(model.admin->bind), "127.0.0.1:7070");
  ASSERT_EQ(model.listeners.size(), 3U);
  const Listener& web = model.listeners[0];
  EXPECT_EQ(web.bind.size(), 3U);
  EXPECT_TRUE(web.trusted_proxies[2].contains(Network::mapped({192, 0, 2, 7})));
  EXPECT_EQ(web.routes[1].host, (HostPattern{HostPattern::Kind::suffix, ".example.com"}));
  EXPECT_EQ(*web.routes[2].redirect(), (Redirect{"/new", 308}));
  EXPECT_EQ(*web.routes[3].service(), "site");
  EXPECT_TRUE(model.listeners[1].by_service_name);
  EXPECT_EQ(model.listeners[2].protocol, ListenerProtocol::tcp);

  const Service& feed = *find_service(model, "feed");
  EXPECT_EQ(feed.endpoints[1], (Endpoint{*Address::parse("10.0.0.2:9001"), 3, "z2", false}));
  EXPECT_TRUE(feed.endpoints[2].backup);
  EXPECT_EQ(feed.health_check->http, "/healthz");
  EXPECT_EQ(feed.slow_start, 10s);
  EXPECT_EQ(feed.retries.on, (RetryOn{true, false, false, false, {502, 503, 504}}));
  EXPECT_EQ(feed.limits.connections_per_endpoint, 256U);
  EXPECT_EQ(feed.calls, (std::vector<std::string>{"site", "cache"}));

  const Service& site = *find_service(model, "site");
  EXPECT_EQ(site.balance.sticky_cookie, "SITE");
  EXPECT_EQ(site.balance.algorithm, Algorithm::hash);
  EXPECT_EQ(site.balance.hash, (Hash{{HashKey::Source::header, "x-shop"}, HashAlgorithm::ring, percent(125)}));
  EXPECT_EQ(site.outlier_ejection, std::nullopt);
  EXPECT_EQ(site.health_check->expect, (std::vector<StatusRange>{{200, 200}, {204, 299}}));
  EXPECT_EQ(site.all_down, AllDown::fail);
  EXPECT_EQ(find_service(model, "nobody"), nullptr);
}

TEST(Load, explains_itself_into_an_equal_model) {
  const Model model = example();
  const auto again = load(explain(model), test_environment());
  ASSERT_TRUE(again) << problems_of(explain(model));
  EXPECT_EQ(*again, model);
  EXPECT_EQ(explain(*again), explain(model));
}

TEST(Load, takes_a_file_of_kMaxFileBytes_and_no_larger_one) {
  const std::string file = file_with("");
  for (const std::size_t size : {kMaxFileBytes - 1, kMaxFileBytes}) {
    EXPECT_EQ(problems_of(file + '#' + std::string(size - file.size() - 1, 'x')), "");
  }
  EXPECT_EQ(problems_of(file + '#' + std::string(kMaxFileBytes - file.size(), 'x')),
            "f:1:1: the file is larger than 16MiB\n");
}

TEST(Load, tells_at_most_kMaxProblems_and_counts_the_rest) {
  const auto told = [](std::size_t wrong) {
    std::string text = "calls: [";
    for (std::size_t i = 0; i < wrong; ++i) text += "s" + std::to_string(i) + ", ";
    return load(file_with("", text + "]"), test_environment()).error();
  };
  EXPECT_EQ(told(kMaxProblems - 1).size(), kMaxProblems - 1);
  EXPECT_EQ(told(kMaxProblems).size(), kMaxProblems);
  EXPECT_EQ(told(kMaxProblems).back().message,
            "services.feed.calls[49]: there is no service \"s49\"; add it to services");
  const Problems more = told(kMaxProblems + 1);
  EXPECT_EQ(more.size(), kMaxProblems);
  EXPECT_EQ(more.back().message, "and 2 more problems from here on; mend these first");
}

TEST(Load, ranges_include_their_ends) {
  const auto weight = [](const std::string& number) {
    return problems_of(file_with("", "retries: { attempts: " + number + " }"));
  };
  EXPECT_EQ(weight("0"), "");
  EXPECT_EQ(weight("9"), "");
  EXPECT_EQ(weight("10"), "");
  EXPECT_NE(weight("11"), "");
  const auto stall = [](const std::string& time) {
    return problems_of(file_with("limits: { stall_timeout: " + time + " }"));
  };
  EXPECT_NE(stall("0ms"), "");
  EXPECT_EQ(stall("1ms"), "");
  EXPECT_EQ(stall("60m"), "");
  EXPECT_NE(stall("3601s"), "");
}

TEST(Load, memory_holds_some_buffers_at_least) {
  const auto memory = [](const std::string& bytes) {
    return problems_of(file_with("", "", "proxy: { buffer_bytes: 1MiB, memory: " + bytes + " }"));
  };
  EXPECT_NE(memory("16777215"), "");
  EXPECT_EQ(memory("16777216"), "");
  EXPECT_EQ(memory("16777217"), "");
  EXPECT_EQ(memory("auto"), "");
  EXPECT_EQ(memory("5MiB"),
            "f:1:8: proxy: memory holds fewer than 16 buffers of buffer_bytes; give it 16MiB at least\n");
}

TEST(Load, a_list_ends_at_its_named_length) {
  const auto expecting = [](std::size_t ranges) {
    std::string text;
    for (std::size_t i = 0; i < ranges; ++i) text += std::to_string(200 + i) + ", ";
    return problems_of(file_with("", "health_check: { http: /, expect: [" + text + "] }"));
  };
  EXPECT_NE(expecting(0), "");
  EXPECT_EQ(expecting(1), "");
  EXPECT_EQ(expecting(15), "");
  EXPECT_EQ(expecting(16), "");
  EXPECT_EQ(expecting(17), "f:10:38: services.feed.health_check.expect: holds 17 items; at most 16\n");
}

TEST(Load, a_breaker_may_be_off) {
  const auto with = [](const std::string& breaker, const std::string& at_top = "") {
    return load(file_with("", "breaker: " + breaker, at_top), test_environment());
  };
  const auto off = with("off");
  ASSERT_TRUE(off);
  EXPECT_FALSE(off->services[0].breaker);
  EXPECT_EQ(off, load(file_with(""), test_environment()));
  EXPECT_TRUE(with("{}")->services[0].breaker);
}

TEST(Load, a_breaker_is_shared_aloud_only_in_a_cluster) {
  const auto with = [](const std::string& at_top) {
    return problems_of(file_with("", "breaker: { shared: true }", at_top));
  };
  EXPECT_EQ(with("cluster: {}"), "");
  EXPECT_NE(with("").find("services.feed.breaker.shared: there is nobody to share it with"), std::string::npos);
}

TEST(Load, takes_500_services_of_20_endpoints) {
  std::string text = "listeners: { web: { bind: 127.0.0.1:0, routes: by_service_name } }\nservices:\n";
  for (int service = 0; service < 500; ++service) {
    text += "  s" + std::to_string(service) + ":\n    endpoints:\n";
    for (int endpoint = 1; endpoint <= 20; ++endpoint)
      text += "      - { address: 10.0.0." + std::to_string(endpoint) + ":80, weight: 2 }\n";
  }
  const auto model = load(text, test_environment());
  ASSERT_TRUE(model);
  EXPECT_EQ(model->services.size(), 500U);
  EXPECT_EQ(load(explain(*model), test_environment()), model);
}

TEST(Load, a_name_has_at_most_63_letters) {
  const auto named = [](std::size_t length) {
    return problems_of(file_with("", "", "") + "  " + std::string(length, 'a') + ": { endpoints: [10.0.0.2:80] }\n");
  };
  EXPECT_EQ(named(62), "");
  EXPECT_EQ(named(63), "");
  EXPECT_NE(named(64), "");
}

TEST(Load, a_service_may_call_itself_in_a_circle) { EXPECT_EQ(problems_of(file_with("", "calls: [feed]")), ""); }

TEST(Load, a_changed_service_differs_and_the_others_do_not) {
  const Model before = example();
  std::string text = read_text(testdata("example.yaml"));
  text.replace(text.find("slow_start: 10s"), 15, "slow_start: 11s");
  const auto after = load(text, test_environment());
  ASSERT_TRUE(after);
  EXPECT_NE(before.services[0], after->services[0]);
  EXPECT_EQ(before.services[1], after->services[1]);
  EXPECT_EQ(before.listeners, after->listeners);
}

// A poor man's fuzzer: bytes changed, dropped, doubled and spliced between files; whatever loads must explain itself.
TEST(Load, survives_damaged_files) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(HOLDFAST_CONFIG_TESTDATA)) {
    if (entry.path().extension() == ".yaml") files.push_back(read_text(entry.path()));
  }
  std::ranges::sort(files);
  std::mt19937_64 chance(20260101);
  const auto below = [&](std::size_t bound) { return static_cast<std::size_t>(chance() % bound); };
  constexpr std::string_view kBytes = "{}[]:,-#&*!|>'\"%@` \n\t$0az\\\xc3\xff";
  std::size_t loaded = 0;
  for (int round = 0; round < 6000; ++round) {
    // Most rounds take the example, whose damage is the likeliest to load.
    std::string text = round % 2 == 0 ? read_text(testdata("example.yaml")) : files[below(files.size())];
    for (std::size_t i = below(4) + 1; i > 0; --i) {
      const std::size_t at = below(text.size());
      switch (below(4)) {
        case 0: text[at] = kBytes[below(kBytes.size())]; break;
        case 1: text.erase(at, below(20)); break;
        case 2: text.insert(at, text.substr(below(text.size()), below(60))); break;
        default: text.insert(at, 1, kBytes[below(kBytes.size())]); break;
      }
      if (text.empty()) text = "x";
    }
    const auto model = load(text, test_environment());
    if (!model) {
      EXPECT_FALSE(model.error().empty());
      continue;
    }
    ++loaded;
    const auto again = load(explain(*model), test_environment());
    ASSERT_TRUE(again) << "round " << round << '\n' << text << '\n' << explain(*model) << problems_of(explain(*model));
    EXPECT_EQ(*again, *model) << "round " << round;
  }
  EXPECT_GT(loaded, 100U);
}

}  // namespace
}  // namespace holdfast::config
