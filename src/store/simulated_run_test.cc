#include "store/simulated_run.h"

#include <gtest/gtest.h>

namespace holdfast::store {
namespace {

constexpr std::uint64_t kSeeds = 40;
/// By when a breakage must have been found out.
constexpr std::uint64_t kSeedsForBreakage = 40;

std::string lines(const std::vector<std::string>& findings) {
  std::string text;
  for (const std::string& each : findings) text += "\n  " + each;
  return text;
}

TEST(SimulatedRun, finds_nothing_in_a_store_that_only_suffers) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const SimulatedRun run = run_seed(seed);
    EXPECT_TRUE(run.findings.empty()) << "seed " << seed << lines(run.findings);
    EXPECT_GT(run.history.calls.size(), 100U);
  }
}

TEST(SimulatedRun, is_the_same_for_the_same_seed) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const std::uint64_t digest = run_seed(seed).digest;
    EXPECT_EQ(run_seed(seed).digest, digest);
    EXPECT_NE(run_seed(seed + 100).digest, digest);
  }
}

class BrokenStore : public testing::TestWithParam<int> {};

TEST_P(BrokenStore, is_found_out) {
  const auto breakage = static_cast<Breakage>(GetParam());
  bool found = false;
  for (std::uint64_t seed = 1; seed <= kSeedsForBreakage && !found; ++seed) {
    const SimulatedRun run = run_seed(seed, breakage);
    found = !run.findings.empty();
    if (found) RecordProperty("found", run.findings.front());
  }
  EXPECT_TRUE(found);
}

INSTANTIATE_TEST_SUITE_P(Breakage, BrokenStore, testing::Range(1, static_cast<int>(kBreakages)));

}  // namespace
}  // namespace holdfast::store
