#include "admin/router.h"

#include <algorithm>
#include <optional>

#include "admin/query.h"

namespace holdfast::admin {
namespace {

constexpr std::size_t kShownPathBytes = 200;

/// Stands in a path for what is to be given.
constexpr std::string_view kName = "NAME";

bool matches(const Route& route, std::string_view path) {
  if (!route.path.ends_with(kName)) return route.path == path;
  const std::string_view folder = route.path.substr(0, route.path.size() - kName.size());
  return path.size() > folder.size() && path.starts_with(folder);
}

std::string shown(std::string_view path) { return std::string(path.substr(0, kShownPathBytes)); }

Answer no_such_page(std::string_view path) {
  std::string remedy = "ask for one of";
  for (const Route& each : kPages) remedy.append(&each == kPages.begin() ? " " : ", ").append(each.path);
  return error_answer(404, "not_found", "there is no " + shown(path), remedy);
}

}  // namespace

std::variant<Routed, Answer> route(http::Method method, std::string_view path) {
  const auto* const found = std::ranges::find_if(kPages, [path](const Route& each) { return matches(each, path); });
  if (found == kPages.end()) return no_such_page(path);
  const bool is_read = method == http::Method::get || method == http::Method::head;
  if (!is_read && !(method == http::Method::put && found->allow.ends_with("PUT"))) {
    Answer answer = error_answer(405, "method_not_allowed", "this is nothing that can be done to " + shown(path),
                                 "use one of " + std::string(found->allow));
    answer.allow = found->allow;
    return answer;
  }
  if (!found->path.ends_with(kName)) return Routed{found->page, {}};
  const std::optional<std::string> name = percent_decode(path.substr(found->path.size() - kName.size()));
  if (!name)
    return error_answer(400, "bad_request", "the name is not percent-encoded", "write it like feed-%3Eprofile");
  return Routed{found->page, *name};
}

}  // namespace holdfast::admin
