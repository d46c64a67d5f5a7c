// Golden dialogues: each testdata/NAME.yaml that is wrong has its answer beside it in NAME.errors.
// HOLDFAST_REWRITE=1 writes the answers anew; read the difference before committing it.
#include <cstdlib>
#include <set>

#include "config/test_support.h"

namespace holdfast::config {
namespace {

TEST(Dialogue, every_wrong_file_gets_its_answer) {
  const bool rewrite = std::getenv("HOLDFAST_REWRITE") != nullptr;
  std::set<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(HOLDFAST_CONFIG_TESTDATA)) {
    if (entry.path().extension() == ".yaml" && entry.path().filename() != "example.yaml") files.insert(entry.path());
  }
  EXPECT_GE(files.size(), 16U);
  for (const std::filesystem::path& file : files) {
    const std::string answer = problems_of(read_text(file), file.filename().string());
    std::filesystem::path expected = file;
    expected.replace_extension(".errors");
    if (rewrite) std::ofstream(expected, std::ios::binary) << answer;
    EXPECT_NE(answer, "") << file;
    EXPECT_EQ(answer, read_text(expected)) << file;
  }
}

}  // namespace
}  // namespace holdfast::config
