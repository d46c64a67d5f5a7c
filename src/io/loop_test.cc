#include "io/loop.h"

#include <array>
#include <cerrno>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <vector>

#include "io/scope.h"
#include "io/stream.h"

namespace holdfast::io {
namespace {

constexpr std::size_t kMany = 40;  // more than may begin in one turn

// Streams whose far ends have all been written to.
struct Crowd {
  explicit Crowd(Loop& loop) {
    for (std::size_t i = 0; i < kMany; ++i) {
      std::array<int, 2> fds{};
      EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()), 0);
      streams.push_back(std::make_unique<Stream>(loop, UniqueFd(fds[0])));
      far.emplace_back(fds[1]);
    }
    loop.run_once();  // takes the edges of newly opened sockets
    for (const auto& stream : streams) stream->descriptor().drained();
  }
  void write_to_all() const {
    for (const UniqueFd& fd : far) EXPECT_EQ(::send(fd.get(), "x", 1, 0), 1);
  }
  std::vector<std::unique_ptr<Stream>> streams;
  std::vector<UniqueFd> far;
};

// Turns that wait for nothing.
void run_a_few_turns(Loop& loop) {
  for (int turns = 0; turns < 10; ++turns) {
    loop.post([] {});
    loop.run_once();
  }
}

Task<> note_when_it_begins(Ref<Stream> stream, std::size_t number, Deadline deadline, std::vector<std::size_t>* order) {
  const int error = co_await stream->readable_in_line(deadline);
  EXPECT_EQ(error, 0);
  order->push_back(number);
}

Task<> note_when_it_goes_on(Ref<Stream> stream, std::size_t number, std::vector<std::size_t>* order) {
  const int error = co_await stream->readable(kNever);
  EXPECT_EQ(error, 0);
  order->push_back(number);
}

TEST(Loop, what_is_under_way_goes_before_what_begins) {
  Loop loop;
  const Crowd crowd(loop);
  Scope tasks(loop);
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i + 1 < kMany; ++i) {
    tasks.add(note_when_it_begins(*crowd.streams[i], i, kNever, &order));
  }
  tasks.add(note_when_it_goes_on(*crowd.streams.back(), kMany - 1, &order));
  crowd.write_to_all();
  loop.run_once();
  ASSERT_FALSE(order.empty());
  EXPECT_EQ(order.front(), kMany - 1);
  EXPECT_LT(order.size(), kMany) << "only some begin in one turn";
  run_a_few_turns(loop);
  ASSERT_EQ(order.size(), kMany);
  for (std::size_t i = 1; i < kMany; ++i) EXPECT_EQ(order[i], i - 1) << "in the order they came";
}

TEST(Loop, nobody_in_line_runs_out_of_time) {
  Loop loop;
  const Crowd crowd(loop);
  Scope tasks(loop);
  std::vector<std::size_t> order;
  const Deadline soon = loop.now() + 1ms;
  for (std::size_t i = 0; i < kMany; ++i) tasks.add(note_when_it_begins(*crowd.streams[i], i, soon, &order));
  crowd.write_to_all();
  loop.run_once();
  ASSERT_LT(order.size(), kMany);
  while (read_clock() < soon + 1ms) {
  }
  run_a_few_turns(loop);
  EXPECT_EQ(order.size(), kMany);
}

Task<> wait_in_line(Ref<Stream> stream, int* error) { *error = co_await stream->readable_in_line(kNever); }

TEST(Loop, who_is_cancelled_and_closed_in_line_does_not_begin) {
  Loop loop;
  Crowd crowd(loop);
  std::array<int, kMany> errors{};
  Scope tasks(loop);
  for (std::size_t i = 0; i < kMany; ++i) tasks.add(wait_in_line(*crowd.streams[i], &errors[i]));
  crowd.write_to_all();
  loop.run_once();
  crowd.streams.back()->cancel();
  loop.run_once();
  EXPECT_EQ(errors.back(), ECANCELED);
  crowd.streams.pop_back();
  run_a_few_turns(loop);
  for (std::size_t i = 0; i + 1 < kMany; ++i) EXPECT_EQ(errors[i], 0);
}

}  // namespace
}  // namespace holdfast::io
