#include "store/etcd_watch.h"

#include <algorithm>

#include "store/etcd_codec.h"

namespace holdfast::store::etcd {

void WatchCore::end(Code code, std::string why) {
  if (code == Code::stopped) {
    waiting.clear();
    waiting_events = 0;
    ending = Error{code, Side::store, why};
  }
  if (!ended()) {
    ending = Error{code, Side::store, std::move(why)};
    stop.request();
  }
  if (stream != nullptr) stream->cancel();
  came.notify();
  room.notify();
}

void WatchCore::deliver(Batch batch) {
  waiting_events += batch.events.size();
  // Several messages that say only how late it is are one.
  if (batch.events.empty() && !waiting.empty() && waiting.back().events.empty()) waiting.pop_back();
  waiting.push_back(std::move(batch));
  came.notify();
}

io::Task<Result<Batch>> EtcdWatch::next(Deadline deadline) {
  const std::shared_ptr<WatchCore> core = core_;
  while (core->waiting.empty()) {
    if (core->ended()) co_return std::unexpected<Error>(core->ending);
    const bool told = co_await core->came.wait(deadline);
    if (!told && core->waiting.empty() && !core->ended()) {
      co_return fail(Code::timed_out, Side::store, "nothing happened");
    }
  }
  Batch batch = std::move(core->waiting.front());
  core->waiting.pop_front();
  core->waiting_events -= batch.events.size();
  core->room.notify();
  co_return batch;
}

namespace {

// Cuts a stream into lines; what follows the last one is a line, too, once the stream has ended.
class Lines {
 public:
  void add(std::string_view piece) { text_ += piece; }
  bool too_long() const { return text_.size() - begin_ > kMessageBytesMax; }

  /// The next whole line; none if there is none yet. It is valid until add().
  std::optional<std::string_view> next() {
    const std::size_t end = text_.find('\n', searched_);
    if (end == std::string::npos) {
      text_.erase(0, begin_);
      begin_ = 0;
      searched_ = text_.size();
      return std::nullopt;
    }
    const std::string_view line = std::string_view(text_).substr(begin_, end - begin_);
    begin_ = searched_ = end + 1;
    return line;
  }
  std::string_view rest() const { return std::string_view(text_).substr(begin_); }

 private:
  std::string text_;
  std::size_t begin_ = 0;
  std::size_t searched_ = 0;
};

enum class GoOn : std::uint8_t { yes, reconnect };

GoOn hear(WatchCore& core, WatchAnswer answer) {
  Follow::Step step = core.follow.take(std::move(answer));
  switch (step.kind) {
    case Follow::Step::Kind::nothing: return GoOn::yes;
    case Follow::Step::Kind::deliver: core.deliver(std::move(step.batch)); return GoOn::yes;
    case Follow::Step::Kind::reconnect: return GoOn::reconnect;
    case Follow::Step::Kind::stale: core.end(Code::stale, std::move(step.why)); return GoOn::reconnect;
  }
  return GoOn::reconnect;
}

// etcd 3.4 leaves erases out of history that is compacted while it is told (issues 18089 and 19179). So what is told of
// the past counts only if what was before it can still be read afterwards.
io::Task<bool> past_is_whole(Ref<io::Loop> loop, Ref<Caller> caller, std::shared_ptr<WatchCore> core, Revision start) {
  Call call;
  call.path = "/v3/kv/range";
  call.body = count_request(core->follow.prefix(), std::max<Revision>(start - 1, 1));
  Reply reply = co_await caller->call(std::move(call), loop->now() + kProbeMax);
  if (reply.body) co_return true;
  if (reply.body.error().code == Code::stale) core->end(Code::stale, "history was compacted while it was told");
  co_return false;
}

// Ends when the stream, which starts at the revision `start`, does, or when it must not be read any further.
io::Task<> read_stream(Ref<io::Loop> loop, Ref<Caller> caller, std::shared_ptr<WatchCore> core,
                       std::unique_ptr<client::Incoming> stream, Revision start) {
  Lines lines;
  bool made = false;
  Revision past = 0;  // up to here it is history that etcd tells
  const Deadline made_by = loop->now() + kStreamOpenMax;
  while (!core->ended()) {
    if (core->full()) {
      co_await core->room.wait(kNever);
      continue;
    }
    // Silence is no failure: whether something was kept back, probes find out.
    const Deadline patience = made ? kNever : made_by;
    Result<std::string> piece = co_await stream->next(patience);
    if (!piece || core->ended()) co_return;
    if (piece->empty()) {
      Result<WatchAnswer> last = read_watch(lines.rest());
      if (last && last->events.empty()) hear(*core, std::move(*last));
      co_return;
    }
    lines.add(*piece);
    while (const std::optional<std::string_view> line = lines.next()) {
      Result<WatchAnswer> answer = read_watch(*line);
      if (!answer) co_return;
      if (answer->created) {
        made = true;
        past = answer->header.revision;
      }
      if (!answer->events.empty() && answer->events.front().record.modified <= past) {
        const bool whole = co_await past_is_whole(loop, caller, core, start);
        if (!whole || core->ended()) co_return;
      }
      if (hear(*core, std::move(*answer)) == GoOn::reconnect) co_return;
    }
    if (lines.too_long()) co_return;
  }
}

}  // namespace

io::Task<> read_streams(Ref<io::Loop> loop, Ref<Caller> caller, std::shared_ptr<WatchCore> core) {
  while (!core->ended()) {
    Call call;
    call.path = "/v3/watch";
    const Revision start = core->follow.next_revision();
    call.body = watch_request(core->follow.prefix(), start);
    StreamReply reply = co_await caller->stream(std::move(call), loop->now() + kStreamOpenMax);
    if (core->ended()) break;
    if (reply.stream) {
      core->stream = reply.stream->get();
      core->endpoint = reply.endpoint;
      std::unique_ptr<client::Incoming> stream = std::move(*reply.stream);
      co_await read_stream(loop, caller, core, std::move(stream), start);
      core->stream = nullptr;
      if (core->ended()) break;
      caller->blame(reply.endpoint);
    }
    co_await io::sleep_until(loop, loop->now() + kStreamPause, core->stop);
  }
}

namespace {

io::Task<Result<Follow::Standing>> ask_standing(Ref<Caller> caller, Ref<World> world, std::string body,
                                                std::size_t avoid, Deadline deadline) {
  Call call;
  call.path = "/v3/kv/range";
  call.body = std::move(body);
  call.avoid.push_back(avoid);
  const Revision floor = world->highest();
  Reply reply = co_await caller->call(std::move(call), deadline);
  if (!reply.body) co_return pass(reply.body, "probe");
  const Result<RangeAnswer> answer = read_range(*reply.body);
  if (!answer) co_return std::unexpected<Error>(answer.error());
  if (!world->believe(answer->header, floor)) {
    // With one member there is nobody else to say otherwise; with several, reads find out (etcd_store.cc).
    if (caller->endpoints() > 1) co_return fail(Code::closed, Side::store, "a member answers from the past");
    world->set_back(answer->header);
  }
  Follow::Standing standing;
  standing.at = answer->header.revision;
  standing.count = answer->count;
  for (const Record& record : answer->records) standing.newest = std::max(standing.newest, record.modified);
  co_return standing;
}

}  // namespace

io::Task<> probe_often(Ref<io::Loop> loop, Ref<Caller> caller, Ref<World> world, std::shared_ptr<WatchCore> core) {
  int strikes = 0;
  const Revision before = core->follow.next_revision() - 1;
  if (before == 0) {
    core->follow.begins_with(0);
  } else {
    std::string body = count_request(core->follow.prefix(), before);
    const Result<Follow::Standing> began =
        co_await ask_standing(caller, world, std::move(body), core->endpoint, loop->now() + kProbeMax);
    // etcd would begin at the very revision that was compacted, but without what was erased there (etcd issue 18089).
    if (!began && began.error().code == Code::stale) core->end(Code::stale, began.error().what);
    // Too late when an event has come: what it changed would be counted twice.
    if (began && core->follow.next_revision() == before + 1) core->follow.begins_with(began->count);
  }
  while (!core->ended()) {
    co_await io::sleep_until(loop, loop->now() + kProbeEvery, core->stop);
    if (core->ended()) break;
    std::string body = newest_request(core->follow.prefix());
    const Result<Follow::Standing> standing =
        co_await ask_standing(caller, world, std::move(body), core->endpoint, loop->now() + kProbeMax);
    if (core->ended()) break;
    if (core->world == 0) core->world = world->id();
    if (world->id() != core->world) {
      core->end(Code::stale, "the store has another history");
      break;
    }
    if (!standing || core->stream == nullptr || core->full()) continue;
    if (!core->follow.explains(*standing)) {
      co_await io::sleep_until(loop, loop->now() + kProbeGrace, core->stop);
      if (core->ended()) break;
    }
    if (core->follow.explains(*standing)) {
      core->follow.agree(*standing);
      core->deliver(Batch{core->follow.next_revision() - 1, {}});  // the pulse
      strikes = 0;
      continue;
    }
    if (++strikes >= kStrikesMax) {
      core->end(Code::stale, "events did not come");
      break;
    }
    if (core->stream != nullptr) core->stream->cancel();
  }
}

}  // namespace holdfast::store::etcd
