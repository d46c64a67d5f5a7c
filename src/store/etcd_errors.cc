// read_error() of etcd_codec.h: what etcd's refusals mean, in one place. The codes are gRPC's; where one code stands
// for different things, the message decides (etcd 3.4, etcdserver/api/v3rpc/rpctypes/error.go).
#include <nlohmann/json.hpp>

#include "store/etcd_codec.h"

namespace holdfast::store::etcd {
namespace {

using Json = nlohmann::json;

// https://grpc.github.io/grpc/core/md_doc_statuscodes.html
enum Grpc : int {
  kCanceled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

struct Said {
  int code = -1;  ///< none
  std::string message;
};

int code_in(const Json& json) {
  for (const char* name : {"grpc_code", "code", "Code"}) {
    const auto found = json.find(name);
    if (found != json.end() && found->is_number_integer()) return found->get<int>();
  }
  return -1;
}

std::string message_in(const Json& json) {
  for (const char* name : {"message", "error", "Error"}) {
    const auto found = json.find(name);
    if (found != json.end() && found->is_string()) return found->get<std::string>();
  }
  return {};
}

Said read(std::string_view body) {
  constexpr std::size_t kShown = 200;
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object()) return {-1, std::string(body.substr(0, kShown))};
  const auto inner = json.find("error");
  const Json& error = inner != json.end() && inner->is_object() ? *inner : json;
  return {code_in(error), message_in(error)};
}

struct Meaning {
  Code code = Code::internal;
  bool surely_not_done = false;
  bool try_another = false;
};

Meaning judge_unavailable(std::string_view message) {
  const auto says = [message](std::string_view words) { return message.find(words) != std::string_view::npos; };
  // Said before anything was proposed to the others.
  if (says("no leader") || says("not capable")) return {Code::refused, true, true};
  if (says("request timed out")) return {Code::timed_out, false, true};
  return {Code::closed, false, true};
}

Meaning judge(int code, std::string_view message, std::uint16_t status) {
  const auto says = [message](std::string_view words) { return message.find(words) != std::string_view::npos; };
  switch (code) {
    case kInvalidArgument: return {says("auth") || says("user name") ? Code::denied : Code::invalid, true, false};
    case kNotFound: return {Code::missing, true, false};
    case kAlreadyExists: return {Code::exists, true, false};
    case kPermissionDenied: return {Code::denied, true, false};
    case kUnauthenticated: return {Code::denied, true, false};
    case kResourceExhausted: return {Code::overloaded, true, says("too many requests")};
    case kFailedPrecondition: return {says("auth") ? Code::denied : Code::invalid, true, false};
    case kOutOfRange: return {says("compacted") ? Code::stale : Code::invalid, true, false};
    case kUnimplemented: return {Code::invalid, true, false};
    case kUnavailable: return judge_unavailable(message);
    case kCanceled:
    case kDeadlineExceeded: return {Code::timed_out, false, true};
    case kDataLoss: return {Code::corrupt, false, true};
    case kUnknown: return {says("auth:") ? Code::denied : Code::internal, false, true};
    default: break;
  }
  // No word of etcd's own: what stands before it, or its HTTP server.
  if (status == 401 || status == 403) return {Code::denied, true, false};
  if (status == 404 || status == 405) return {Code::protocol, true, true};
  if (status == 429) return {Code::overloaded, true, true};
  return {Code::protocol, false, true};
}

}  // namespace

Refusal read_error(std::uint16_t status, std::string_view body) {
  const Said said = read(body);
  const Meaning meaning = judge(said.code, said.message, status);
  const auto says = [&said](std::string_view words) { return said.message.find(words) != std::string::npos; };
  // With passwords on, a question without a token is "user name is empty".
  const bool token = says("invalid auth token") || says("user name is empty") || says("auth store is old");
  std::string what = said.message.empty() ? "etcd answers with status " + std::to_string(status) : said.message;
  return {Error{meaning.code, Side::store, std::move(what)}, meaning.surely_not_done, meaning.try_another, token};
}

}  // namespace holdfast::store::etcd
