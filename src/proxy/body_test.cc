#include "proxy/body.h"

#include <array>
#include <gtest/gtest.h>
#include <string>
#include <sys/socket.h>

#include "io/loop.h"
#include "io/scope.h"

namespace holdfast::proxy {
namespace {

struct Pair {
  explicit Pair(io::Loop& loop) {
    std::array<int, 2> fds{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()), 0);
    ours = std::make_unique<io::Stream>(loop, io::UniqueFd(fds[0]));
    theirs = std::make_unique<io::Stream>(loop, io::UniqueFd(fds[1]));
  }
  std::unique_ptr<io::Stream> ours;
  std::unique_ptr<io::Stream> theirs;
};

struct Outcome {
  RelayEnd end = RelayEnd::complete;
  std::string received;
  std::string surplus;
};

io::Task<> relay_all(Ref<io::Stream> from, Ref<io::Stream> to, BodyReader* body, http::Framing framing,
                     Outcome* outcome) {
  io::MemoryBudget budget;
  io::BufferPool pool(4096, 1, budget);
  io::Buffer buffer;
  Room room{.pool = pool, .buffer = buffer, .surplus = {}};
  const Relay relay{.framing = framing, .stall_timeout = 5s, .deadline = kNever};
  outcome->end = co_await relay_body(from, to, body, relay, &room);
  outcome->surplus.assign(room.surplus.begin(), room.surplus.end());
  from->loop().stop();
}

io::Task<> send_in_pieces(Ref<io::Stream> stream, std::string first, std::string second) {
  const io::Moved one = co_await stream->write_all(first, kNever);
  EXPECT_TRUE(one.ok());
  for (int turns = 0; turns < 3; ++turns) co_await stream->loop().yield();
  const io::Moved two = co_await stream->write_all(second, kNever);
  EXPECT_TRUE(two.ok());
  stream->end_writing();
}

Outcome relay(http::Framing from, std::uint64_t length, http::Framing to, const std::string& bytes, std::size_t cut) {
  io::Loop loop;
  Pair sender(loop);
  Pair receiver(loop);
  io::Scope tasks(loop);
  BodyReader body;
  body.start(from, length, http::Limits{});
  Outcome outcome;
  tasks.add(send_in_pieces(*sender.theirs, bytes.substr(0, cut), bytes.substr(cut)));
  tasks.add(relay_all(*sender.ours, *receiver.ours, &body, to, &outcome));
  loop.run();
  while (tasks.size() != 0) loop.run_once();
  std::array<char, 4096> got{};
  const io::Moved moved = receiver.theirs->try_read(got);
  outcome.received.assign(got.data(), moved.bytes);
  return outcome;
}

TEST(Relay, the_mark_of_the_end_never_touches_the_request_behind_it_wherever_the_bytes_are_cut) {
  const std::string body = "5\r\nhello\r\n0\r\n\r\n";
  const std::string next = "GET /next HTTP/1.1\r\n";
  for (std::size_t cut = 0; cut <= body.size(); ++cut) {
    const Outcome outcome = relay(http::Framing::chunked, 0, http::Framing::chunked, body + next, cut);
    EXPECT_EQ(outcome.end, RelayEnd::complete);
    if (cut < body.size()) {
      EXPECT_EQ(outcome.surplus, next) << cut;
    }
    BodyReader again;
    again.start(http::Framing::chunked, 0, http::Limits{});
    std::string received = outcome.received;
    const BodyReader::Piece piece = again.take(received);
    EXPECT_EQ(std::string(piece.data.begin(), piece.data.end()), "hello") << cut;
    EXPECT_TRUE(again.done());
    EXPECT_EQ(piece.consumed, received.size());
  }
}

TEST(Relay, a_body_by_length_ends_with_its_last_byte) {
  for (std::size_t cut = 0; cut <= 5; ++cut) {
    const Outcome outcome = relay(http::Framing::length, 5, http::Framing::length, "helloGET", cut);
    EXPECT_EQ(outcome.end, RelayEnd::complete);
    EXPECT_EQ(outcome.received, "hello");
  }
}

TEST(Relay, an_end_that_comes_too_early_is_the_senders_fault) {
  EXPECT_EQ(relay(http::Framing::length, 9, http::Framing::length, "hello", 2).end, RelayEnd::sender_gone);
  EXPECT_EQ(relay(http::Framing::chunked, 0, http::Framing::chunked, "5\r\nhel", 2).end, RelayEnd::sender_gone);
  EXPECT_EQ(relay(http::Framing::chunked, 0, http::Framing::chunked, "5\nhello", 1).end, RelayEnd::sender_broken);
}

TEST(Relay, until_close_becomes_chunked_and_the_close_its_end) {
  const Outcome outcome = relay(http::Framing::until_close, 0, http::Framing::chunked, "hello", 5);
  EXPECT_EQ(outcome.end, RelayEnd::complete);
  EXPECT_EQ(outcome.received, "5\r\nhello\r\n0\r\n\r\n");
}

io::Task<> relay_within(Ref<io::Stream> from, Ref<io::Stream> to, BodyReader* body, Relay limits, RelayEnd* end) {
  io::MemoryBudget budget;
  io::BufferPool pool(4096, 1, budget);
  io::Buffer buffer;
  Room room{.pool = pool, .buffer = buffer, .surplus = {}};
  *end = co_await relay_body(from, to, body, limits, &room);
  from->loop().stop();
}

// What becomes of ten bytes of which `sent` have come, when both the pause and the whole are limited.
RelayEnd relay_for(std::size_t sent, Duration pause, Duration whole) {
  io::Loop loop;
  Pair sender(loop);
  Pair receiver(loop);
  io::Scope tasks(loop);
  BodyReader body;
  body.start(http::Framing::length, 10, http::Limits{});
  EXPECT_EQ(sender.theirs->try_write(std::string(sent, 'x')).bytes, sent);
  const Relay limits{.framing = http::Framing::length, .stall_timeout = pause, .deadline = io::read_clock() + whole};
  RelayEnd end = RelayEnd::complete;
  tasks.add(relay_within(*sender.ours, *receiver.ours, &body, limits, &end));
  loop.run();
  return end;
}

TEST(Relay, a_pause_that_is_too_long_is_told_from_the_end_of_all_time) {
  EXPECT_EQ(relay_for(5, 10ms, 10s), RelayEnd::sender_slow);
  EXPECT_EQ(relay_for(5, 10s, 10ms), RelayEnd::too_late);
  EXPECT_EQ(relay_for(10, 10s, -1ms), RelayEnd::too_late);
  EXPECT_EQ(relay_for(10, 10s, 10s), RelayEnd::complete);
}

struct Memory {
  explicit Memory(std::size_t bytes) : budget(bytes), pool(4096, 0, budget) {}
  io::MemoryBudget budget;
  io::BufferPool pool;
  io::Buffer buffer;
};

io::Task<> relay_in(Memory* memory, Ref<io::Stream> from, Ref<io::Stream> to, BodyReader* body, RelayEnd* end) {
  Room room{.pool = memory->pool, .buffer = memory->buffer, .surplus = {}};
  const Relay relay{.stall_timeout = 5s, .deadline = kNever};
  *end = co_await relay_body(from, to, body, relay, &room);
}

TEST(Relay, holds_no_buffer_while_it_waits_for_the_sender) {
  io::Loop loop;
  Pair sender(loop);
  Pair receiver(loop);
  io::Scope tasks(loop);
  BodyReader body;
  body.start(http::Framing::length, 10, http::Limits{});
  Memory memory(8192);
  RelayEnd end = RelayEnd::too_late;
  EXPECT_EQ(sender.theirs->try_write(std::string("hello")).bytes, 5U);
  tasks.add(relay_in(&memory, *sender.ours, *receiver.ours, &body, &end));
  for (int turns = 0; turns < 3; ++turns) {
    loop.post([] {});
    loop.run_once();
  }
  EXPECT_EQ(body.bytes(), 5U);
  EXPECT_EQ(memory.budget.taken(), 0U);
  EXPECT_EQ(sender.theirs->try_write(std::string("world")).bytes, 5U);
  while (tasks.size() != 0) loop.run_once();
  EXPECT_EQ(end, RelayEnd::complete);
  std::array<char, 100> got{};
  EXPECT_EQ(receiver.theirs->try_read(got).bytes, 10U);
}

TEST(Relay, ends_when_there_is_no_buffer_to_go_on_in) {
  io::Loop loop;
  Pair sender(loop);
  Pair receiver(loop);
  io::Scope tasks(loop);
  BodyReader body;
  body.start(http::Framing::length, 10, http::Limits{});
  Memory memory(4095);
  RelayEnd end = RelayEnd::complete;
  EXPECT_EQ(sender.theirs->try_write(std::string("hello")).bytes, 5U);
  tasks.add(relay_in(&memory, *sender.ours, *receiver.ours, &body, &end));
  while (tasks.size() != 0) loop.run_once();
  EXPECT_EQ(end, RelayEnd::no_memory);
}

}  // namespace
}  // namespace holdfast::proxy
