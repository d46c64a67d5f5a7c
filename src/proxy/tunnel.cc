#include "proxy/tunnel.h"

#include <cerrno>

#include "io/loop.h"
#include "io/scope.h"
#include "io/stop.h"

namespace holdfast::proxy {
namespace {

struct Joint : Pinned {
  Joint(io::Loop& loop_, Duration idle_timeout_) : loop(loop_), idle_timeout(idle_timeout_), last_byte(loop_.now()) {}

  io::Loop& loop;
  const Duration idle_timeout;
  Instant last_byte;  ///< in either direction
  bool idle = false;
  io::Stop never;
};

// One direction. Holds a buffer only while there is something in it.
io::Task<> carry(Ref<Joint> joint, Ref<io::Stream> from, Ref<io::Stream> to, Ref<io::BufferPool> buffers,
                 std::uint64_t* moved) {
  constexpr int kPiecesPerTurn = 16;
  constexpr Duration kBreath = 10ms;  // when buffers ran out: others must return theirs first
  for (int pieces = 1;; ++pieces) {
    const int error = co_await from->readable(joint->last_byte + joint->idle_timeout);
    if (error == ETIMEDOUT && joint->loop.now() < joint->last_byte + joint->idle_timeout) continue;
    if (error != 0) {
      joint->idle = joint->idle || error == ETIMEDOUT;
      break;
    }
    const io::Buffer buffer = buffers->lend();
    if (!buffer) {
      if (joint->loop.now() >= joint->last_byte + joint->idle_timeout) break;
      co_await io::sleep_until(joint->loop, joint->loop.now() + kBreath, joint->never);  // who sends waits as well
      continue;
    }
    const io::Moved got = from->try_read(buffer.all());
    if (got.error == EAGAIN) continue;
    if (!got.ok()) break;
    if (got.ended()) {
      to->end_writing();
      co_return;
    }
    joint->last_byte = joint->loop.now();
    const io::Moved sent =
        co_await to->write_all(buffer.all().first(got.bytes), joint->last_byte + joint->idle_timeout);
    *moved += sent.bytes;
    if (!sent.ok()) break;
    joint->last_byte = joint->loop.now();
    if (pieces % kPiecesPerTurn == 0) co_await joint->loop.yield();
  }
  from->cancel();
  to->cancel();
}

}  // namespace

io::Task<TunnelEnd> tunnel(Ref<io::Stream> client, Ref<io::Stream> server, Ref<io::BufferPool> buffers,
                           Duration idle_timeout) {
  TunnelEnd end;
  Joint joint(client->loop(), idle_timeout);
  io::Scope directions(joint.loop);
  directions.add(carry(joint, client, server, buffers, &end.to_server));
  directions.add(carry(joint, server, client, buffers, &end.to_client));
  co_await directions.join(kNever);
  end.idle = joint.idle;
  co_return end;
}

}  // namespace holdfast::proxy
