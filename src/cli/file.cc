#include "cli/file.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <sys/stat.h>

#include "config/load.h"

namespace holdfast::cli {
namespace {

std::optional<std::string> read_text(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"), &std::fclose);
  if (file == nullptr) {
    std::fprintf(stderr, "holdfast: cannot read %s: %s\n", path.c_str(), std::strerror(errno));
    return std::nullopt;
  }
  std::string text;
  char piece[1 << 16];
  while (text.size() <= config::kMaxFileBytes) {
    const std::size_t got = std::fread(piece, 1, sizeof piece, file.get());
    if (got == 0) break;
    text.append(piece, got);
  }
  if (std::ferror(file.get()) != 0) {
    std::fprintf(stderr, "holdfast: cannot read %s: %s\n", path.c_str(), std::strerror(errno));
    return std::nullopt;
  }
  return text;
}

}  // namespace

std::optional<config::Model> read_model(const std::string& file) {
  const std::optional<std::string> text = read_text(file);
  if (!text) return std::nullopt;
  auto model = config::load(*text, [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  });
  if (model) return std::move(*model);
  for (const config::Problem& problem : model.error()) {
    std::fprintf(stderr, "%s\n", config::to_string(file, problem).c_str());
  }
  return std::nullopt;
}

std::string fingerprint(const std::string& file) {
  struct stat seen{};
  if (::stat(file.c_str(), &seen) != 0) return {};
  return std::to_string(seen.st_ino) + "/" + std::to_string(seen.st_size) + "/" + std::to_string(seen.st_mtim.tv_sec) +
         "." + std::to_string(seen.st_mtim.tv_nsec);
}

}  // namespace holdfast::cli
