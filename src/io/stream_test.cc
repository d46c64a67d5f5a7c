#include "io/stream.h"

#include <array>
#include <cerrno>
#include <gtest/gtest.h>
#include <string>
#include <sys/socket.h>

#include "io/listening_socket.h"
#include "io/loop.h"
#include "io/scope.h"

namespace holdfast::io {
namespace {

// Two connected streams on one loop.
struct Pair {
  explicit Pair(Loop& loop) {
    std::array<int, 2> fds{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()), 0);
    near = std::make_unique<Stream>(loop, UniqueFd(fds[0]));
    far = std::make_unique<Stream>(loop, UniqueFd(fds[1]));
  }
  std::unique_ptr<Stream> near;
  std::unique_ptr<Stream> far;
};

Task<> read_until_end(Ref<Stream> stream, std::size_t buffer_bytes, std::string* all, int* error) {
  std::string buffer(buffer_bytes, '\0');
  while (true) {
    const Moved got = co_await stream->read_some(buffer, kNever);
    *error = got.error;
    if (!got.ok() || got.ended()) break;
    all->append(buffer, 0, got.bytes);
  }
  stream->loop().stop();
}

Task<> write_and_end(Ref<Stream> stream, std::string text) {
  const Moved sent = co_await stream->write_all(text, kNever);
  EXPECT_EQ(sent.bytes, text.size());
  stream->end_writing();
}

TEST(Stream, carries_more_than_the_kernel_takes_at_once_and_shows_the_end) {
  Loop loop;
  Pair pair(loop);
  Scope tasks(loop);
  const std::string text(5'000'000, 'x');
  std::string seen;
  int error = -1;
  tasks.add(write_and_end(*pair.near, text));
  tasks.add(read_until_end(*pair.far, 4096, &seen, &error));
  loop.run();
  EXPECT_EQ(error, 0);
  EXPECT_EQ(seen, text);
}

TEST(Stream, a_read_that_fills_its_buffer_exactly_does_not_lose_the_end) {
  Loop loop;
  Pair pair(loop);
  Scope tasks(loop);
  std::string seen;
  int error = -1;
  tasks.add(write_and_end(*pair.near, std::string(4096, 'y')));
  tasks.add(read_until_end(*pair.far, 4096, &seen, &error));
  loop.run();
  EXPECT_EQ(error, 0);
  EXPECT_EQ(seen.size(), 4096U);
}

Task<> read_once(Ref<Stream> stream, Deadline deadline, int* error) {
  std::array<char, 16> buffer{};
  const Moved got = co_await stream->read_some(buffer, deadline);
  *error = got.error;
  stream->loop().stop();
}

TEST(Stream, a_read_ends_at_its_deadline_and_not_before) {
  Loop loop;
  Pair pair(loop);
  Scope tasks(loop);
  int error = 0;
  const Instant deadline = read_clock() + 20ms;
  tasks.add(read_once(*pair.far, deadline, &error));
  loop.run();
  EXPECT_EQ(error, ETIMEDOUT);
  EXPECT_GE(loop.now(), deadline);
}

TEST(Stream, cancel_ends_the_wait_and_every_later_one) {
  Loop loop;
  Pair pair(loop);
  Scope tasks(loop);
  int error = 0;
  tasks.add(read_once(*pair.far, kNever, &error));
  pair.far->cancel();
  loop.run();
  EXPECT_EQ(error, ECANCELED);
  error = 0;
  tasks.add(read_once(*pair.far, kNever, &error));
  EXPECT_EQ(error, ECANCELED);
}

TEST(Stream, stop_reading_leaves_writing_alone) {
  Loop loop;
  Pair pair(loop);
  pair.far->stop_reading();
  std::array<char, 1> byte{};
  EXPECT_EQ(pair.far->try_read(byte).error, ECANCELED);
  EXPECT_EQ(pair.far->try_write(byte).bytes, 1U);
}

TEST(Stream, is_quiet_only_while_nothing_came_and_nobody_left) {
  Loop loop;
  Pair pair(loop);
  EXPECT_TRUE(pair.far->quiet());
  EXPECT_TRUE(pair.near->try_write(std::string_view("?")).ok());
  loop.run_once();
  EXPECT_FALSE(pair.far->quiet());
  std::array<char, 1> exact{};
  EXPECT_EQ(pair.far->try_read(exact).bytes, 1U);
  EXPECT_TRUE(pair.far->quiet()) << "the flag is still set, but a look shows that nothing is there";
  pair.near->end_writing();
  loop.run_once();
  EXPECT_FALSE(pair.far->quiet());
}

Task<> look_when_readable(Ref<Stream> mine, Ref<Stream> other, bool* other_was_quiet) {
  std::array<char, 8> bytes{};
  const Moved got = co_await mine->read_some(bytes, kNever);
  EXPECT_TRUE(got.ok());
  *other_was_quiet = other->quiet();
}

// What comes in one turn has come, whatever its order: a pooled connection with bytes nobody asked for is not given
// out.
TEST(Stream, is_not_quiet_when_its_bytes_come_in_the_turn_that_asks) {
  Loop loop;
  Pair client(loop);
  Pair pooled(loop);
  loop.post([] {});
  loop.run_once();
  std::array<char, 8> nothing{};
  EXPECT_EQ(pooled.far->try_read(nothing).error, EAGAIN);
  EXPECT_TRUE(pooled.far->quiet());
  bool was_quiet = true;
  Scope tasks(loop);
  tasks.add(look_when_readable(*client.far, *pooled.far, &was_quiet));
  loop.post([] {});
  loop.run_once();
  EXPECT_TRUE(client.near->try_write(std::string_view("request")).ok());
  EXPECT_TRUE(pooled.near->try_write(std::string_view("surplus")).ok());
  while (tasks.size() > 0) loop.run_once();
  EXPECT_FALSE(was_quiet);
}

struct Tidings : OnBroken {
  explicit Tidings(Descriptor& descriptor) : OnBroken(descriptor, &Tidings::tell) {}
  static void tell(OnBroken& self) { ++static_cast<Tidings&>(self).told; }
  int told = 0;
};

TEST(OnBroken, tells_once_that_the_peer_left_though_nobody_reads) {
  Loop loop;
  Pair pair(loop);
  {
    const Tidings tidings(pair.near->descriptor());
    EXPECT_TRUE(pair.far->try_write(std::string_view("unread")).ok());
    pair.far.reset();
    for (int turn = 0; turn < 3; ++turn) {
      loop.post([] {});
      loop.run_once();
    }
    EXPECT_EQ(tidings.told, 1);
    EXPECT_TRUE(pair.near->descriptor().broken());
  }
  const Tidings another(pair.near->descriptor());  // the place is free again
  EXPECT_EQ(another.told, 0);
}

TEST(OnBroken, half_a_close_breaks_nothing) {
  Loop loop;
  Pair pair(loop);
  const Tidings tidings(pair.near->descriptor());
  pair.far->end_writing();
  loop.run_once();
  EXPECT_TRUE(pair.near->descriptor().peer_hung_up());
  EXPECT_FALSE(pair.near->descriptor().broken());
  EXPECT_EQ(tidings.told, 0);
}

TEST(OnBroken, may_end_the_wait_of_another_stream) {
  Loop loop;
  Pair client(loop);
  Pair server(loop);
  Scope tasks(loop);
  struct Link : OnBroken {
    Link(Stream& client, Stream& server) : OnBroken(client.descriptor(), &Link::tell), to(server) {}
    static void tell(OnBroken& self) { static_cast<Link&>(self).to.cancel(); }
    Stream& to;
  };
  const Link link(*client.near, *server.near);
  int error = 0;
  tasks.add(read_once(*server.near, kNever, &error));
  client.far.reset();
  loop.run();
  EXPECT_EQ(error, ECANCELED);
}

Task<> connect_to(Ref<Loop> loop, SocketAddress address, int* error) {
  Result<std::unique_ptr<Stream>> stream = Stream::start_connect(*loop, address);
  *error = ECONNREFUSED;
  if (stream) *error = co_await (*stream)->connected(loop->now() + 5s);
  loop->stop();
}

TEST(Stream, connects_to_who_listens_and_is_refused_by_who_does_not) {
  Loop loop;
  Scope tasks(loop);
  const SocketAddress any = *SocketAddress::from_ip("127.0.0.1", 0);
  Result<UniqueFd> socket = listen_on(any);
  ASSERT_TRUE(socket);
  const SocketAddress address = local_address(socket->get());
  int error = -1;
  tasks.add(connect_to(loop, address, &error));
  loop.run();
  EXPECT_EQ(error, 0);

  socket->reset();
  error = -1;
  tasks.add(connect_to(loop, address, &error));
  loop.run();
  EXPECT_EQ(error, ECONNREFUSED);
}

TEST(ListeningSocket, says_what_to_do_about_an_address_that_is_not_ours) {
  const Result<UniqueFd> socket = listen_on(*SocketAddress::from_ip("192.0.2.1", 1));
  ASSERT_FALSE(socket);
  EXPECT_NE(socket.error().what.find("no interface of this machine"), std::string::npos);
}

TEST(SocketAddress, reads_back_what_it_writes) {
  EXPECT_EQ(to_string(*SocketAddress::from_ip("10.0.0.1", 80)), "10.0.0.1:80");
  EXPECT_EQ(to_string(*SocketAddress::from_ip("::1", 8080)), "[::1]:8080");
  EXPECT_EQ(to_string(*SocketAddress::from_unix("/run/x.sock")), "unix:/run/x.sock");
  EXPECT_FALSE(SocketAddress::from_ip("example.org", 80));
}

TEST(SocketAddress, a_unix_path_of_107_bytes_fits_and_of_108_does_not) {
  EXPECT_TRUE(SocketAddress::from_unix(std::string(107, 'p')));
  EXPECT_FALSE(SocketAddress::from_unix(std::string(108, 'p')));
  EXPECT_FALSE(SocketAddress::from_unix(""));
}

}  // namespace
}  // namespace holdfast::io
