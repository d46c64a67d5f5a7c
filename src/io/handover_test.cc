#include "io/handover.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "io/listening_socket.h"
#include "io/socket_address.h"
#include "io/supervisor.h"

namespace holdfast::io {
namespace {

struct Folder : Pinned {
  Folder() {
    std::string pattern = ::testing::TempDir() + "handover-XXXXXX";
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    path = pattern;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path;
};

NamedSocket open_socket(const std::string& name) {
  const Result<SocketAddress> any = SocketAddress::from_ip("127.0.0.1", 0);
  Result<UniqueFd> fd = listen_on(*any);
  EXPECT_TRUE(fd.has_value());
  return {name, std::move(*fd)};
}

UniqueFd accept_from(const UniqueFd& listening) {
  UniqueFd accepted;
  while (!accepted) accepted = UniqueFd(::accept4(listening.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  return accepted;
}

TEST(Handover, gives_every_socket_with_its_name) {
  const Folder folder;
  const std::string path = folder.path + "/p.sock";
  std::vector<NamedSocket> mine;
  for (int i = 0; i < 600; ++i)
    mine.push_back(open_socket(i % 2 == 0 ? "web" : "admin"));  // more than a socket buffers
  const Result<Rendezvous> listening = listen_for_successor(path);
  ASSERT_TRUE(listening.has_value()) << listening.error().what;
  std::jthread old([&] {
    const UniqueFd connection = accept_from(listening->socket);
    EXPECT_TRUE(send_sockets(connection, mine).has_value());
    char word = 0;
    while (::read(connection.get(), &word, 1) != 1) continue;
    EXPECT_EQ(word, kTaken);
  });
  const Result<std::optional<Predecessor>> asked = ask_predecessor(path, 5s);
  ASSERT_TRUE(asked.has_value()) << asked.error().what;
  ASSERT_TRUE(asked->has_value());
  const std::vector<NamedSocket>& got = (*asked)->sockets;
  ASSERT_EQ(got.size(), mine.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].name, mine[i].name);
    EXPECT_EQ(local_address(got[i].fd.get()), local_address(mine[i].fd.get()));
  }
  EXPECT_EQ(::write((*asked)->connection.get(), &kTaken, 1), 1);
}

TEST(Handover, finds_nobody_where_nobody_is) {
  const Folder folder;
  const Result<std::optional<Predecessor>> asked = ask_predecessor(folder.path + "/p.sock", 5s);
  ASSERT_TRUE(asked.has_value());
  EXPECT_FALSE(asked->has_value());
}

TEST(Handover, does_not_wait_for_ever_for_somebody_who_hangs) {
  const Folder folder;
  const std::string path = folder.path + "/p.sock";
  const Result<Rendezvous> listening = listen_for_successor(path);
  ASSERT_TRUE(listening.has_value());
  const Result<std::optional<Predecessor>> asked = ask_predecessor(path, 30ms);
  ASSERT_FALSE(asked.has_value());
  EXPECT_EQ(asked.error().code, Code::timed_out);
}

TEST(Handover, leaves_the_path_to_whoever_came_after) {
  const Folder folder;
  const std::string path = folder.path + "/p.sock";
  const Result<Rendezvous> first = listen_for_successor(path);
  ASSERT_TRUE(first.has_value());
  const Result<Rendezvous> second = listen_for_successor(path);
  ASSERT_TRUE(second.has_value());
  first->leave();
  EXPECT_TRUE(std::filesystem::exists(path));
  second->leave();
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Supervisor, has_no_sockets_for_another_process) {
  ::setenv("LISTEN_FDS", "1", 1);
  ::setenv("LISTEN_PID", "1", 1);
  EXPECT_TRUE(sockets_of_supervisor().empty());
  ::unsetenv("LISTEN_FDS");
  ::unsetenv("LISTEN_PID");
}

TEST(Supervisor, hears_of_states) {
  const Folder folder;
  const std::string path = folder.path + "/notify";
  const UniqueFd manager(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const Result<SocketAddress> address = SocketAddress::from_unix(path);
  ASSERT_EQ(::bind(manager.get(), address->raw(), address->size()), 0);
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  tell_supervisor("READY=1");
  ::unsetenv("NOTIFY_SOCKET");
  std::array<char, 32> heard{};
  ASSERT_EQ(::recv(manager.get(), heard.data(), heard.size(), MSG_DONTWAIT), 7);
  EXPECT_STREQ(heard.data(), "READY=1");
  tell_supervisor("READY=1");  // nobody: nothing
}

TEST(Supervisor, wants_to_hear_of_a_watchdog_twice_in_its_time) {
  EXPECT_FALSE(watchdog_interval().has_value());
  ::setenv("WATCHDOG_USEC", "3000000", 1);
  EXPECT_EQ(watchdog_interval(), 1500ms);
  ::setenv("WATCHDOG_PID", "1", 1);
  EXPECT_FALSE(watchdog_interval().has_value());
  ::unsetenv("WATCHDOG_USEC");
  ::unsetenv("WATCHDOG_PID");
}

}  // namespace
}  // namespace holdfast::io
