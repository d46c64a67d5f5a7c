#include "cli/admin_client.h"

#include <unistd.h>

#include "cli/file.h"
#include "config/address.h"

namespace holdfast::cli {
namespace {

constexpr const char* kFile = "holdfast.yaml";
constexpr std::size_t kPageBytesMax = std::size_t{16} * 1024 * 1024;

Result<client::Url> url_of(config::Address address, const std::string& from) {
  if (address.is_unix()) return client::Url{.tls = false, .host = address.host, .port = 0};
  if (address.port == 0) return fail(Code::invalid, Side::local, from + " has no port of its own; say --admin ADDRESS");
  // Whoever listens everywhere listens here.
  if (address.host == "0.0.0.0") address.host = "127.0.0.1";
  if (address.host == "::") address.host = "::1";
  return client::Url{.tls = false, .host = address.host, .port = address.port};
}

Result<client::Url> parse_admin(const std::string& asked) {
  if (asked.starts_with("http://")) return client::parse_url(asked);
  const auto address = config::Address::parse(asked);
  if (!address) return fail(Code::invalid, Side::local, "--admin: " + address.error());
  return url_of(*address, "--admin");
}

Error refusal(const client::Response& response) {
  const Json json = Json::parse(response.body, nullptr, false);
  const Json error = json.is_object() && json.contains("error") ? json["error"] : Json();
  const std::string message = text_of(error, "message");
  if (message.empty()) {
    return {Code::protocol, Side::upstream, "the admin API answered " + std::to_string(response.status)};
  }
  return {Code::refused, Side::upstream, message + "; " + text_of(error, "remedy")};
}

}  // namespace

Result<client::Url> find_admin(const std::string& asked) {
  if (!asked.empty()) return parse_admin(asked);
  if (::access(kFile, F_OK) != 0) return client::parse_url("http://127.0.0.1:7070");
  const std::optional<config::Model> model = read_model(kFile);
  if (!model) return fail(Code::invalid, Side::local, "the file above has mistakes; say --admin ADDRESS");
  if (!model->admin) return client::parse_url("http://127.0.0.1:7070");
  return url_of(model->admin->bind, std::string("admin.bind of ") + kFile);
}

AdminClient::AdminClient(io::Loop& loop, client::Url url) : loop_(loop), origin_(loop, std::move(url)) {}

Error AdminClient::nobody(const Error& error) const {
  const std::string where = client::to_string(origin_.url());
  return {error.code, error.side,
          "nobody answers at " + where + " (" + error.what + "); is holdfast running, with admin in its file?"};
}

io::Task<Result<AdminClient::Page>> AdminClient::ask(client::Request request, Deadline deadline) {
  client::Exchanged got = co_await origin_.exchange(std::move(request), kPageBytesMax, deadline);
  if (!got.response) co_return std::unexpected<Error>(nobody(got.response.error()));
  client::Response& response = *got.response;
  Page page{response.status, {}, {}, std::move(response.etag)};
  if (response.status == 304) co_return page;
  if (response.status != 200) co_return std::unexpected<Error>(refusal(response));
  page.json = Json::parse(response.body, nullptr, false);
  page.text = std::move(response.body);
  if (!page.json.is_object()) co_return fail(Code::protocol, Side::upstream, "what answers there is no holdfast");
  co_return page;
}

io::Task<Result<AdminClient::Page>> AdminClient::get(std::string target, std::string known_etag, Deadline deadline) {
  client::Request request;
  request.target = std::move(target);
  if (!known_etag.empty()) request.fields.emplace_back("If-None-Match", std::move(known_etag));
  Result<Page> page = co_await ask(std::move(request), deadline);
  co_return page;
}

io::Task<Result<AdminClient::Page>> AdminClient::put(std::string target, std::string body, Deadline deadline) {
  client::Request request;
  request.method = http::Method::put;
  request.target = std::move(target);
  request.content_type = "application/json";
  request.body = std::move(body);
  Result<Page> page = co_await ask(std::move(request), deadline);
  co_return page;
}

io::Task<Result<std::unique_ptr<client::Incoming>>> AdminClient::follow(std::string target, Deadline deadline) {
  client::Request request;
  request.target = std::move(target);
  client::Started started = co_await origin_.start(std::move(request), deadline);
  if (!started.incoming) co_return std::unexpected<Error>(nobody(started.incoming.error()));
  if ((*started.incoming)->status() != 200) {
    const int status = (*started.incoming)->status();
    co_return fail(Code::refused, Side::upstream, "the admin API answered " + std::to_string(status));
  }
  co_return std::move(started.incoming);
}

std::string text_of(const Json& json, const char* member) {
  if (!json.is_object() || !json.contains(member)) return {};
  const Json& value = json[member];
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::string percent_encode(const std::string& text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '~';
    if (plain) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
  }
  return encoded;
}

}  // namespace holdfast::cli
