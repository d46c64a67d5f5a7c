#include "admin/visit.h"

namespace holdfast::admin {

Visit::Visit(io::Stream& stream, io::Stop& stop, std::size_t& waiting)
    : stream_(stream), loop_(stream.loop()), stop_(stop), waiting_(waiting), wake_(loop_), tasks_(loop_) {}

Visit::~Visit() {
  if (has_place_) --waiting_;
}

bool Visit::take_place() {
  if (is_over()) return false;
  if (has_place_) return true;
  if (waiting_ >= kWaitingMax) return false;
  ++waiting_;
  has_place_ = true;
  return true;
}

io::Task<> Visit::wait(Ref<journal::Followers> followers, Instant until) {
  if (!is_watched_) {
    is_watched_ = true;
    tasks_.add(watch_client());
  }
  if (is_over()) co_return;
  const journal::Followers::Hook told(*followers, [this] { wake_.notify(); });
  const io::Stop::Hook stopped(stop_, [this] { wake_.notify(); });
  (void)co_await wake_.wait(until);
}

io::Task<> Visit::watch_client() {
  (void)co_await stream_.readable(kNever);
  is_over_ = true;
  wake_.notify();
}

io::Task<bool> Visit::send(std::string piece) {
  const io::Moved sent = co_await stream_.write_all(piece, loop_.now() + kWriteTimeout);
  co_return sent.ok();
}

io::Task<> Visit::end() {
  if (!is_watched_) co_return;
  stream_.stop_reading();
  (void)co_await tasks_.join(kNever);
  stream_.resume_reading();
}

}  // namespace holdfast::admin
