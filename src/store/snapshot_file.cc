#include "store/snapshot_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/text.h"
#include "io/unique_fd.h"
#include "store/transaction.h"

namespace holdfast::store {
namespace {

constexpr std::string_view kMagic = "holdfast snapshot 1 ";

std::string hex(std::uint64_t number) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16).ptr;
  return {digits.data(), end};
}

std::unexpected<Error> damaged(std::string what) { return fail(Code::corrupt, Side::local, std::move(what)); }

/// The text up to `end`, which is taken too; none if it does not come.
std::optional<std::string_view> take_until(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at + 1);
  return taken;
}

std::optional<std::uint64_t> take_number(std::string_view& text, char end) {
  const std::optional<std::string_view> digits = take_until(text, end);
  return digits ? parse_number<std::uint64_t>(*digits) : std::nullopt;
}

std::optional<Record> take_record(std::string_view& text) {
  const auto key = take_until(text, ' ');
  const auto created = take_number(text, ' ');
  const auto modified = take_number(text, ' ');
  const auto lease = take_number(text, ' ');
  const auto bytes = take_number(text, '\n');
  if (!key || !created || !modified || !lease || !bytes || text.size() <= *bytes) return std::nullopt;
  Record record{std::string(*key), std::string(text.substr(0, *bytes)), *created, *modified, *lease};
  text.remove_prefix(*bytes + 1);
  return record;
}

std::unexpected<Error> file_error(const std::filesystem::path& file, const char* doing) {
  return fail(code_from_errno(errno), Side::local,
              std::string(doing) + " " + file.string() + ": " + std::strerror(errno));
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// The new name is on the disk when its folder is.
Result<> sync_folder(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  const io::UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return file_error(folder, "sync");
  return {};
}

}  // namespace

std::string write_snapshot(const View& view) {
  // Others may have put keys into etcd that could not be read back here.
  const auto fits = [](const Record& record) { return validate_key(record.key).has_value(); };
  std::string body = std::to_string(view.world) + ' ' + std::to_string(view.revision) + ' ' +
                     std::to_string(std::ranges::count_if(view.records, fits)) + '\n';
  for (const Record& record : view.records) {
    if (!fits(record)) continue;
    body += record.key + ' ' + std::to_string(record.created) + ' ' + std::to_string(record.modified) + ' ' +
            std::to_string(record.lease) + ' ' + std::to_string(record.value.size()) + '\n' + record.value + '\n';
  }
  return std::string(kMagic) + hex(hash64(body)) + '\n' + body;
}

Result<View> parse_snapshot(std::string_view text) {
  if (!text.starts_with(kMagic)) return damaged("this is no snapshot of a store");
  text.remove_prefix(kMagic.size());
  const auto sum = take_until(text, '\n');
  if (!sum || *sum != hex(hash64(text))) return damaged("its checksum is wrong");
  View view;
  const auto world = take_number(text, ' ');
  const auto revision = take_number(text, ' ');
  const auto records = take_number(text, '\n');
  if (!world || !revision || !records) return damaged("its first line is wrong");
  view.world = *world;
  view.revision = *revision;
  for (std::uint64_t i = 0; i < *records; ++i) {
    std::optional<Record> record = take_record(text);
    if (!record) return damaged("record " + std::to_string(i + 1) + " is wrong");
    view.records.push_back(std::move(*record));
  }
  if (!text.empty()) return damaged("something follows the last record");
  return view;
}

Result<> save_snapshot(const std::filesystem::path& file, const View& view) {
  // Two processes may write at the same time: each its own file, and the last one counts.
  std::string beside = file.string() + ".XXXXXX";
  const io::UniqueFd fd(::mkostemp(beside.data(), O_CLOEXEC));
  if (!fd) return file_error(file, "write beside");
  const bool written = write_all(fd.get(), write_snapshot(view)) && ::fsync(fd.get()) == 0;
  if (written && ::rename(beside.c_str(), file.c_str()) == 0) return sync_folder(file);
  auto failed = file_error(file, written ? "replace" : "write beside");
  ::unlink(beside.c_str());
  return failed;
}

Result<std::optional<View>> load_snapshot(const std::filesystem::path& file) {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) {
    if (errno == ENOENT) return std::optional<View>();
    return file_error(file, "read");
  }
  if (static_cast<std::size_t>(status.st_size) > kSnapshotBytesMax) {
    return damaged(file.string() + ": larger than any snapshot");
  }
  if (status.st_size == 0) return damaged(file.string() + ": empty");
  const std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream || !text) return file_error(file, "read");
  Result<View> view = parse_snapshot(std::move(text).str());
  if (!view) return pass(view, "read " + file.string());
  return std::optional<View>(std::move(*view));
}

}  // namespace holdfast::store
