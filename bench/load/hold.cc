#include "load/hold.h"

#include <array>
#include <fcntl.h>
#include <unistd.h>

namespace holdfast::bench {
namespace {

constexpr Duration kPatience = 60s;
constexpr Duration kLook = 20ms;

}  // namespace

Hold::Hold(Poller& poller_, std::uint16_t port_, std::string_view path, std::size_t connections)
    : Errand(poller_, port_, path, false) {
  for (std::size_t i = 0; i < connections; ++i) clients_.emplace_back(*this);
}

bool Hold::fill() {
  const Instant until = read_clock() + kPatience;
  for (std::size_t i = 0; i < kAtOnce; ++i) start_next();
  while (done_ < clients_.size() && !failed_ && lost_ == 0 && read_clock() < until) poller.turn(read_clock() + kLook);
  return done_ == clients_.size() && lost_ == 0;
}

std::size_t Hold::keep() {
  ::fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
  std::array<char, 64> ignored;
  while (::read(STDIN_FILENO, ignored.data(), ignored.size()) != 0) poller.turn(read_clock() + kLook);
  return lost_;
}

void Hold::start_next() {
  if (started_ < clients_.size()) clients_[started_++].begin(read_clock());
}

void Hold::answered(Client& /*client*/) {
  ++done_;
  start_next();
}

void Hold::failed(Client& client, Failure failure) { failed_ = !client.busy() || failure == Failure::connect; }

}  // namespace holdfast::bench
