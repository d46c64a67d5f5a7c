#include "admin/router.h"

#include <algorithm>

namespace holdfast::admin {
namespace {

constexpr std::size_t kShownPathBytes = 200;

Answer no_such_page(std::string_view path) {
  std::string remedy = "ask for one of";
  for (const Route& each : kPages) remedy.append(&each == kPages.begin() ? " " : ", ").append(each.path);
  return error_answer(404, "not_found", "there is no " + std::string(path.substr(0, kShownPathBytes)), remedy);
}

}  // namespace

std::variant<Page, Answer> route(http::Method method, std::string_view path) {
  const auto* const found = std::ranges::find(kPages, path, &Route::path);
  if (found == kPages.end()) return no_such_page(path);
  if (method != http::Method::get && method != http::Method::head) {
    Answer answer = error_answer(405, "method_not_allowed", std::string(path) + " can only be read", "use GET");
    answer.allow = "GET, HEAD";
    return answer;
  }
  return found->page;
}

}  // namespace holdfast::admin
