#include "store/snapshot_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <string>

namespace holdfast::store {
namespace {

const View kView{7,
                 42,
                 {{"endpoint/feed/a", R"({"address":"10.0.0.1:80"})", 3, 40, 9},
                  {"endpoint/feed/b", std::string("any\nbytes\0 at all", 17), 4, 4, 0},
                  {"endpoint/feed/c", "", 5, 42, 0}}};

class Folder {
 public:
  Folder() : path_(::mkdtemp(name_.data())) {}
  ~Folder() { std::filesystem::remove_all(path_); }
  std::filesystem::path operator/(const char* file) const { return path_ / file; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::string name_ = (std::filesystem::temp_directory_path() / "snapshot-XXXXXX").string();
  std::filesystem::path path_;
};

void expect_equal(const View& one, const View& other) {
  EXPECT_EQ(one.world, other.world);
  EXPECT_EQ(one.revision, other.revision);
  EXPECT_EQ(one.records, other.records);
}

TEST(Snapshot, reads_back_what_it_wrote) {
  const Result<View> view = parse_snapshot(write_snapshot(kView));
  ASSERT_TRUE(view);
  expect_equal(*view, kView);
}

TEST(Snapshot, any_byte_that_changed_or_is_missing_shows) {
  const std::string text = write_snapshot(kView);
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] = static_cast<char>(other[i] ^ 1);
    EXPECT_FALSE(parse_snapshot(other)) << "byte " << i;
    EXPECT_FALSE(parse_snapshot(text.substr(0, i))) << "cut at " << i;
  }
}

TEST(Snapshot, a_file_is_replaced_and_none_is_no_error) {
  const Folder folder;
  const Result<std::optional<View>> none = load_snapshot(folder / "endpoints");
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->has_value());
  ASSERT_TRUE(save_snapshot(folder / "endpoints", View{1, 1, {}}));
  ASSERT_TRUE(save_snapshot(folder / "endpoints", kView));
  const Result<std::optional<View>> view = load_snapshot(folder / "endpoints");
  ASSERT_TRUE(view && view->has_value());
  expect_equal(**view, kView);
}

TEST(Snapshot, says_where_it_cannot_write_and_what_it_cannot_read) {
  const Folder folder;
  const Result<> saved = save_snapshot(folder / "missing/endpoints", kView);
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().code, Code::missing);
  EXPECT_NE(saved.error().what.find("missing/endpoints"), std::string::npos);
  const Result<std::optional<View>> folder_itself = load_snapshot(folder.path());
  EXPECT_FALSE(folder_itself);
}

}  // namespace
}  // namespace holdfast::store
