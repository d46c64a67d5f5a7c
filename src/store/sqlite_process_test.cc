// The SQLite store among other processes, killed and in want of room. Start reading at
// whatever_was_acknowledged_survives_a_kill.
#include <fstream>
#include <map>
#include <sys/stat.h>

#include "base/prng.h"
#include "store/sqlite_child_testing.h"
#include "store/sqlite_testing.h"

namespace holdfast::store {
namespace {

class SqliteProcessTest : public ::testing::Test {
 protected:
  TestFolder folder_;
  Gate open_;
};

void fill(const std::filesystem::path& file, int records) {
  const auto engine = open_engine(file, {});
  for (int i = 0; i < records;) {
    Transaction transaction;
    for (std::size_t j = 0; j < kWritesMax && i < records; ++j, ++i) {
      transaction.writes.push_back(Write::put("filled/" + std::to_string(i), std::string(200, 'v')));
    }
    commit(*engine, transaction);
  }
}

/// Reads all of history, which must have no gap and hold every acknowledged number.
void expect_all(SqliteEngine& engine, const std::map<Revision, std::uint64_t>& acknowledged) {
  std::map<Revision, std::string> found;
  Revision next = 2;
  const Revision newest = *engine.newest();
  while (next <= newest) {
    const Result<Changes> changes = engine.changes("", next);
    ASSERT_TRUE(changes) << changes.error().what;
    for (const Event& event : changes->events) {
      ASSERT_LE(event.record.modified, next) << "a gap in front of it";
      next = event.record.modified + 1;
      if (!event.record.key.ends_with("/more")) found[event.record.modified] = event.record.value;
    }
    ASSERT_EQ(next, changes->to + 1);
  }
  for (const auto& [revision, number] : acknowledged) EXPECT_EQ(found[revision], std::to_string(number));
}

TEST_F(SqliteProcessTest, whatever_was_acknowledged_survives_a_kill) {
  constexpr std::uint64_t kSeed = 20261123;
  constexpr int kKills = 25;
  SCOPED_TRACE(kSeed);
  Prng prng(kSeed);
  fill(folder_.file, 10'000);
  std::map<Revision, std::uint64_t> acknowledged;
  Duration longest{};
  for (int kill = 0; kill < kKills; ++kill) {
    Child child("write", folder_.file);
    for (std::uint64_t reports = prng.below(80) + 1; reports != 0; --reports) {
      const std::optional<ChildReport> report = child.next();
      ASSERT_TRUE(report);
      ASSERT_NE(report->revision, 0U) << to_string(static_cast<Code>(report->number));
      acknowledged[report->revision] = report->number;
    }
    // Somewhere in one of the next commits.
    const Instant moment = io::read_clock() + Duration(static_cast<Duration::rep>(prng.below(2'000'000)));
    while (io::read_clock() < moment) continue;
    child.end();
    while (const std::optional<ChildReport> report = child.next()) acknowledged[report->revision] = report->number;

    const Instant before = io::read_clock();
    const auto engine = open_engine(folder_.file, {});  // which checks every page
    longest = std::max(longest, io::read_clock() - before);
    ASSERT_NE(engine, nullptr);
    expect_all(*engine, acknowledged);
    EXPECT_GE(engine->read("filled/", 0)->records.size(), 10'000U);
  }
  RecordProperty("acknowledged", static_cast<int>(acknowledged.size()));
  RecordProperty("longest_start_us", static_cast<int>(longest / 1us));
}

TEST_F(SqliteProcessTest, another_process_is_seen_while_it_writes) {
  io::Loop loop;
  Result<std::unique_ptr<Store>> store = open_sqlite(loop, folder_.file);
  ASSERT_TRUE(store);
  auto watch = (*store)->watch("child/", 1);
  Child child("write", folder_.file);
  Revision next = 2;
  while (next < 300) {
    const Result<Batch> batch = wait_for(loop, watch->next(io::read_clock() + 20s));
    ASSERT_TRUE(batch) << batch.error().what;
    for (const Event& event : batch->events) {
      ASSERT_LE(event.record.modified, next);
      next = event.record.modified + 1;
    }
    const std::string mine = std::to_string(next);
    const Transaction nothing{{Compare::exists("absent")}, {Write::put(mine, "1")}};
    const Result<Outcome> outcome = wait_for(loop, (*store)->commit(nothing, io::read_clock() + 20s));
    ASSERT_TRUE(outcome) << outcome.error().what;
    EXPECT_EQ(outcome->kind, Outcome::Kind::refused);
  }
  watch.reset();
  wait_for(loop, (*store)->close());
}

TEST_F(SqliteProcessTest, a_full_disk_takes_nothing_and_loses_nothing) {
  Child child("small", folder_.file);
  Revision last = 0;
  std::optional<ChildReport> report = child.next();
  for (; report && report->revision != 0; report = child.next()) last = report->revision;
  ASSERT_TRUE(report);
  if (report->number == kNotAllowedReported) GTEST_SKIP() << "only root can make a small disk";
  EXPECT_EQ(static_cast<Code>(report->number), Code::overloaded) << report->number;
  EXPECT_GT(last, 10U);
  report = child.next();
  ASSERT_TRUE(report) << "it could not be opened again";
  EXPECT_EQ(report->revision, last) << "what failed was not written";
}

// The kernel refuses to write on, but SQLite does not say why: it may have been a disk that fails.
TEST_F(SqliteProcessTest, a_write_that_fails_in_the_middle_is_unknown_and_loses_nothing) {
  Child child("full", folder_.file);
  std::map<Revision, std::uint64_t> acknowledged;
  std::optional<ChildReport> report = child.next();
  for (; report && report->revision != 0; report = child.next()) acknowledged[report->revision] = report->number;
  ASSERT_TRUE(report);
  EXPECT_EQ(report->number, kUnknownReported);
  child.end();
  EXPECT_GT(acknowledged.size(), 10U);
  const auto engine = open_engine(folder_.file, {});
  ASSERT_NE(engine, nullptr);
  EXPECT_LE(*engine->newest(), acknowledged.rbegin()->first + 1);
  expect_all(*engine, acknowledged);
}

TEST_F(SqliteProcessTest, where_it_may_not_write_it_is_denied) {
  ASSERT_EQ(::chmod(folder_.path.c_str(), 0555), 0);
  {
    Child child("open", folder_.file);
    const std::optional<ChildReport> report = child.next();
    ASSERT_TRUE(report);
    EXPECT_EQ(report->revision, 0U);
    EXPECT_EQ(static_cast<Code>(report->number), Code::denied) << to_string(static_cast<Code>(report->number));
  }
  ASSERT_EQ(::chmod(folder_.path.c_str(), 0755), 0);
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path));
  fill(folder_.file, 1);
  ASSERT_EQ(::chmod(folder_.file.c_str(), 0444), 0);
  Child child("open", folder_.file);
  const std::optional<ChildReport> report = child.next();
  ASSERT_TRUE(report);
  EXPECT_EQ(static_cast<Code>(report->number), Code::denied) << to_string(static_cast<Code>(report->number));
}

// Every refusal: its code, a word of the remedy, and the bytes stay as they were.
void expect_refused(const std::filesystem::path& file, Code code, const std::string& word) {
  const auto bytes = [&] {
    if (!std::filesystem::is_regular_file(file)) return std::string();
    std::ifstream stream(file, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(stream), {});
  };
  const std::string before = bytes();
  const Result<std::unique_ptr<SqliteEngine>> engine = SqliteEngine::open(file, {});
  ASSERT_FALSE(engine);
  const std::string& what = engine.error().what;
  EXPECT_EQ(engine.error().code, code) << what;
  EXPECT_EQ(engine.error().side, Side::store);
  EXPECT_NE(what.find(word), std::string::npos) << what;
  EXPECT_NE(what.find(file.string()), std::string::npos) << what;
  EXPECT_EQ(bytes(), before) << what;
}

TEST_F(SqliteProcessTest, what_is_no_store_of_ours_is_refused_untouched) {
  std::ofstream(folder_.path / "text") << std::string(5000, 'x');
  expect_refused(folder_.path / "text", Code::corrupt, "put it aside");
  expect_refused(folder_.path / "nowhere" / "store.db", Code::missing, "make it");
  std::filesystem::create_directory(folder_.path / "folder");
  expect_refused(folder_.path / "folder", Code::invalid, "name another");
  {
    SqliteDatabase foreign;
    ASSERT_TRUE(foreign.open(folder_.path / "foreign"));
    ASSERT_TRUE(foreign.execute("CREATE TABLE theirs (a)"));
  }
  expect_refused(folder_.path / "foreign", Code::invalid, "another program");
  fill(folder_.file, 1);
  {
    SqliteDatabase newer;
    ASSERT_TRUE(newer.open(folder_.file));
    ASSERT_TRUE(newer.execute("PRAGMA user_version=2"));
  }
  expect_refused(folder_.file, Code::invalid, "newer program");
}

TEST_F(SqliteProcessTest, an_empty_file_becomes_a_store) {
  std::ofstream(folder_.file).flush();
  EXPECT_NE(open_engine(folder_.file, {}), nullptr);
}

void overwrite(const std::filesystem::path& file, std::uintmax_t at, std::size_t bytes) {
  std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
  stream.seekp(static_cast<std::streamoff>(at));
  stream << std::string(bytes, '\xaa');
}

TEST_F(SqliteProcessTest, a_damaged_file_is_refused_page_by_page) {
  constexpr std::uintmax_t kPage = 4096;
  fill(folder_.file, 300);
  const std::filesystem::path whole = folder_.path / "whole";
  std::filesystem::copy_file(folder_.file, whole);
  const std::uintmax_t pages = std::filesystem::file_size(whole) / kPage;
  ASSERT_GT(pages, 10U);
  for (std::uintmax_t page = 0; page < pages; ++page) {
    std::filesystem::copy_file(whole, folder_.file, std::filesystem::copy_options::overwrite_existing);
    overwrite(folder_.file, page * kPage, kPage);
    SCOPED_TRACE(page);
    expect_refused(folder_.file, Code::corrupt, "restore a copy");
  }
  std::filesystem::copy_file(whole, folder_.file, std::filesystem::copy_options::overwrite_existing);
  std::filesystem::resize_file(folder_.file, (pages - 2) * kPage);
  expect_refused(folder_.file, Code::corrupt, "restore a copy");
}

TEST_F(SqliteProcessTest, a_store_whose_parts_contradict_each_other_is_corrupt) {
  for (const char* damage :
       {"UPDATE meta SET revision = 1", "DELETE FROM meta", "UPDATE version SET lease = 7", "DROP TABLE lease"}) {
    std::filesystem::remove(folder_.file);
    fill(folder_.file, 3);
    {
      SqliteDatabase other;
      ASSERT_TRUE(other.open(folder_.file));
      const Result<> done = other.execute(damage);
      ASSERT_TRUE(done) << done.error().what;
    }
    SCOPED_TRACE(damage);
    expect_refused(folder_.file, Code::corrupt, "restore a copy");
  }
}

}  // namespace
}  // namespace holdfast::store
