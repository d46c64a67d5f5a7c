#include "store/open.h"

#include <fstream>
#include <iterator>

#include "store/etcd.h"
#include "store/sqlite.h"

namespace holdfast::store {
namespace {

// Editors end a file with a line feed; no password does.
Result<std::string> read_secret(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string secret{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad()) return fail(Code::denied, Side::local, "cannot read the password in " + path);
  while (secret.ends_with('\n') || secret.ends_with('\r')) secret.pop_back();
  if (secret.empty()) return fail(Code::invalid, Side::local, "there is no password in " + path);
  return secret;
}

}  // namespace

Result<std::unique_ptr<Store>> open(io::Loop& loop, const config::StoreAddress& address, const std::string& cluster,
                                    Duration patience) {
  if (address.engine == config::StoreAddress::Engine::sqlite) {
    SqliteOptions options;
    options.open_patience = patience;
    return open_sqlite(loop, address.path, std::move(options));
  }
  EtcdOptions options;
  options.prefix = "/holdfast/" + cluster + "/";
  const std::string scheme = address.tls ? "https://" : "http://";
  for (const config::Address& member : address.members) options.endpoints.push_back(scheme + to_string(member));
  if (address.tls) options.tls = {address.tls->ca, address.tls->certificate, address.tls->key};
  if (!address.user.empty()) {
    Result<std::string> password = read_secret(address.password_file);
    if (!password) return std::unexpected(std::move(password.error()));
    options.user = address.user;
    options.password = std::move(*password);
  }
  return open_etcd(loop, std::move(options));
}

}  // namespace holdfast::store
