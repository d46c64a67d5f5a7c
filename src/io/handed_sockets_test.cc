#include "io/handed_sockets.h"

#include <gtest/gtest.h>

#include "io/listening_socket.h"

namespace holdfast::io {
namespace {

SocketAddress loopback(std::uint16_t port) { return SocketAddress::from_ip("127.0.0.1", port).value(); }

// Two of `web` on one port, one of `admin` on another.
struct Handed {
  Handed() {
    std::vector<NamedSocket> sockets;
    std::vector<UniqueFd> group = listen_as_group(loopback(0), 2, Company::nobody).value();
    web = local_address(group.front().get());
    for (UniqueFd& each : group) sockets.push_back({"web", std::move(each)});
    UniqueFd alone = listen_on(loopback(0)).value();
    admin = local_address(alone.get());
    sockets.push_back({"@admin", std::move(alone)});
    all.add(std::move(sockets));
  }
  SocketAddress web;
  SocketAddress admin;
  HandedSockets all;
};

TEST(HandedSockets, are_taken_by_address_all_of_it_at_once) {
  Handed handed;
  EXPECT_EQ(handed.all.take("another name", handed.web).size(), 2U);
  EXPECT_TRUE(handed.all.take("web", handed.web).empty());
}

TEST(HandedSockets, are_taken_by_name_where_any_port_will_do) {
  Handed handed;
  EXPECT_TRUE(handed.all.take("other", loopback(0)).empty());
  EXPECT_EQ(handed.all.take("web", loopback(0)).size(), 2U);
}

TEST(HandedSockets, that_nobody_took_are_named) {
  Handed handed;
  (void)handed.all.take("web", handed.web);
  EXPECT_EQ(handed.all.drop_rest(), std::vector<std::string>{"@admin at " + to_string(handed.admin)});
  EXPECT_TRUE(handed.all.drop_rest().empty());
}

}  // namespace
}  // namespace holdfast::io
