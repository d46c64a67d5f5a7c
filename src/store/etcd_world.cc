#include "store/etcd_world.h"

#include <algorithm>

namespace holdfast::store::etcd {

bool World::believe(const Header& header, Revision floor) {
  if (header.cluster != cluster_) {
    cluster_ = header.cluster;
    set_backs_ = 0;
    highest_ = header.revision;
    return true;
  }
  if (header.revision < floor) return false;
  highest_ = std::max(highest_, header.revision);
  return true;
}

void World::set_back(const Header& header) {
  ++set_backs_;
  highest_ = header.revision;
}

}  // namespace holdfast::store::etcd
