#include "io/listening_socket.h"

#include <gtest/gtest.h>
#include <memory>

#include "io/loop.h"

namespace holdfast::io {
namespace {

const SocketAddress kAnyPort = *SocketAddress::from_ip("127.0.0.1", 0);

TEST(ListeningSocket, a_group_listens_on_one_address_and_lets_no_stranger_in) {
  const Result<std::vector<UniqueFd>> group = listen_as_group(kAnyPort, 3, Company::nobody);
  ASSERT_TRUE(group);
  ASSERT_EQ(group->size(), 3U);
  const SocketAddress address = local_address(group->front().get());
  for (const UniqueFd& each : *group) EXPECT_EQ(local_address(each.get()), address);
  EXPECT_FALSE(listen_as_group(address, 3, Company::nobody));
  EXPECT_FALSE(listen_on(address));
}

TEST(ListeningSocket, who_listens_alone_shares_with_nobody) {
  const Result<UniqueFd> alone = listen_on(kAnyPort);
  ASSERT_TRUE(alone);
  const SocketAddress address = local_address(alone->get());
  const Result<std::vector<UniqueFd>> group = listen_as_group(address, 1, Company::nobody);
  ASSERT_FALSE(group);
  EXPECT_NE(group.error().what.find(to_string(address)), std::string::npos) << group.error().what;
  EXPECT_NE(group.error().what.find("choose another port"), std::string::npos) << group.error().what;
}

TEST(ListeningSocket, a_group_of_ours_can_be_joined) {
  const Result<std::vector<UniqueFd>> first = listen_as_group(kAnyPort, 2, Company::nobody);
  ASSERT_TRUE(first);
  const SocketAddress address = local_address(first->front().get());
  EXPECT_TRUE(listen_as_group(address, 2, Company::ourselves));
  EXPECT_TRUE(listen_as_group(*SocketAddress::from_ip("0.0.0.0", address.port()), 2, Company::ourselves));
}

// Epoll keeps a closed handle's registration while the open file lives on elsewhere (seen: the events of a socket that
// had been handed over reached a descriptor that was gone).
TEST(Acceptor, hears_no_more_of_a_socket_that_others_still_have) {
  Loop loop;
  UniqueFd socket = listen_on(*SocketAddress::from_ip("127.0.0.1", 0)).value();
  const UniqueFd elsewhere = duplicate(socket.get()).value();
  auto acceptor = std::make_unique<Acceptor>(loop, std::move(socket));
  loop.post([] {});
  loop.run_once();
  acceptor.reset();
  const SocketAddress address = local_address(elsewhere.get());
  const UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::connect(client.get(), address.raw(), address.size()), 0);
  loop.post([] {});
  loop.run_once();
}

}  // namespace
}  // namespace holdfast::io
