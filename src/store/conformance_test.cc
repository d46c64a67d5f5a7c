// Every promise of store.h on every engine. This is the one place where engines are named.
#include "store/conformance.h"

#include <filesystem>
#include <functional>
#include <gtest/gtest.h>
#include <unistd.h>

#include "store/etcd.h"
#include "store/etcd_for_tests.h"
#include "store/history_check.h"
#include "store/random_history.h"
#include "store/simulated.h"
#include "store/sqlite.h"

namespace holdfast::store {
namespace {

struct Engine {
  std::string name;
  std::function<std::unique_ptr<Stage>()> make;  ///< null: it is not installed
  Workload workload;                             ///< real time is short
};

class SimulatedStage : public Stage {
 public:
  io::Loop& loop() override { return loop_; }
  std::unique_ptr<Store> open() override { return engine_.connect(); }

 private:
  io::Loop loop_{io::SimulatedTime{}};
  SimulatedEngine engine_{loop_, 1};
};

Workload short_workload() {
  Workload workload;
  workload.lasts = 2s;
  workload.pause_max = 20ms;
  workload.settles_in = 10s;
  workload.longest_lease = 1500ms;
  return workload;
}

class SqliteStage : public Stage {
 public:
  SqliteStage() {
    std::string pattern = std::filesystem::temp_directory_path() / "holdfast-conformance-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~SqliteStage() override { std::filesystem::remove_all(folder_); }
  io::Loop& loop() override { return loop_; }
  std::unique_ptr<Store> open() override {
    Result<std::unique_ptr<Store>> store = open_sqlite(loop_, folder_ / "store");
    EXPECT_TRUE(store.has_value());
    return std::move(*store);
  }

 private:
  std::filesystem::path folder_;
  io::Loop loop_;
};

// One member for all scenes, each under a prefix of its own.
class EtcdStage : public Stage {
 public:
  EtcdStage() {
    static EtcdForTests etcd;
    static const bool healthy = etcd.wait_until_healthy();
    EXPECT_TRUE(healthy);
    static int scenes = 0;
    options_ = {
        .endpoints = etcd.urls(), .prefix = "/scene" + std::to_string(++scenes) + "/", .user = {}, .password = {}};
  }
  io::Loop& loop() override { return loop_; }
  std::unique_ptr<Store> open() override {
    Result<std::unique_ptr<Store>> store = open_etcd(loop_, options_);
    EXPECT_TRUE(store.has_value());
    return std::move(*store);
  }

 private:
  EtcdOptions options_;
  io::Loop loop_;
};

std::vector<Engine> engines() {
  std::vector<Engine> all{{"simulated", [] { return std::make_unique<SimulatedStage>(); }, Workload()}};
  all.push_back({"sqlite", [] { return std::make_unique<SqliteStage>(); }, short_workload()});
  all.push_back({"etcd", nullptr, short_workload()});
  if (EtcdForTests::installed()) all.back().make = [] { return std::make_unique<EtcdStage>(); };
  return all;
}

std::string lines(const std::vector<std::string>& findings) {
  std::string text;
  for (const std::string& each : findings) text += "\n  " + each;
  return text;
}

class Conformance : public testing::TestWithParam<std::tuple<std::size_t, std::size_t>> {};

TEST_P(Conformance, holds) {
  const Engine engine = engines()[std::get<0>(GetParam())];
  if (!engine.make) GTEST_SKIP() << engine.name << " is not installed (tools/setup test installs it)";
  const std::unique_ptr<Stage> stage = engine.make();
  const std::vector<std::string> broken = play(*stage, promises()[std::get<1>(GetParam())]);
  EXPECT_TRUE(broken.empty()) << lines(broken);
}

INSTANTIATE_TEST_SUITE_P(Store, Conformance,
                         testing::Combine(testing::Range(std::size_t{0}, engines().size()),
                                          testing::Range(std::size_t{0}, promises().size())),
                         [](const auto& each) {
                           return engines()[std::get<0>(each.param)].name + "_" +
                                  promises()[std::get<1>(each.param)].name;
                         });

class RandomClients : public testing::TestWithParam<std::size_t> {};

TEST_P(RandomClients, see_only_what_is_promised) {
  constexpr std::uint64_t kSeed = 1;
  const Engine engine = engines()[GetParam()];
  if (!engine.make) GTEST_SKIP() << engine.name << " is not installed (tools/setup test installs it)";
  const std::unique_ptr<Stage> stage = engine.make();
  const auto open = [&] { return stage->open(); };
  RandomHistory random(stage->loop(), kSeed, engine.workload, open, open);
  EXPECT_TRUE(run_on(stage->loop(), random.run([] {})));
  const std::vector<std::string> findings = judge(random.history());
  EXPECT_TRUE(findings.empty()) << "seed " << kSeed << lines(findings);
  EXPECT_TRUE(random.complaints().empty()) << lines(random.complaints());
  EXPECT_GE(random.history().calls.size(), engine.workload.calls_min);
}

INSTANTIATE_TEST_SUITE_P(Store, RandomClients, testing::Range(std::size_t{0}, engines().size()),
                         [](const auto& each) { return engines()[each.param].name; });

}  // namespace
}  // namespace holdfast::store
