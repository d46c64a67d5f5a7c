#include "store/open.h"

#include "store/etcd.h"
#include "store/sqlite.h"

namespace holdfast::store {

Result<std::unique_ptr<Store>> open(io::Loop& loop, const config::StoreAddress& address, const std::string& cluster) {
  if (address.engine == config::StoreAddress::Engine::sqlite) return open_sqlite(loop, address.path);
  EtcdOptions options;
  options.prefix = "/holdfast/" + cluster + "/";
  for (const config::Address& member : address.members) options.endpoints.push_back("http://" + to_string(member));
  return open_etcd(loop, std::move(options));
}

}  // namespace holdfast::store
