#include "upstream/connection.h"

#include <algorithm>

namespace holdfast::upstream {

std::unique_ptr<Connection> ConnectionPool::take() {
  while (!idle_.empty()) {
    std::unique_ptr<Connection> connection = std::move(idle_.back());
    idle_.pop_back();
    if (connection->stream->quiet()) return connection;
  }
  return nullptr;
}

void ConnectionPool::put(std::unique_ptr<Connection> connection, Instant now, std::size_t keep) {
  if (retired_ || idle_.size() >= keep) return;
  connection->idle_since = now;
  idle_.push_back(std::move(connection));
}

void ConnectionPool::close_idle_since(Instant oldest) {
  const auto young = std::find_if(idle_.begin(), idle_.end(),
                                  [oldest](const auto& connection) { return connection->idle_since >= oldest; });
  idle_.erase(idle_.begin(), young);
}

}  // namespace holdfast::upstream
