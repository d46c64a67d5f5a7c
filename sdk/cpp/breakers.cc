// The public face, and the thread behind it. Start reading at Inside::listen().
#include "holdfast/breakers.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <new>
#include <thread>

#include "clocks.h"
#include "guarded.h"
#include "line.h"

namespace holdfast {
namespace {

/// So long the API may keep us waiting for a change.
constexpr Duration kPoll = 10s;
/// Beyond that it is not heard any more.
constexpr Duration kPatience = 3s;
/// Between two attempts to reach it.
constexpr Duration kAgain = 500ms;

std::uint64_t a_seed() { return static_cast<std::uint64_t>(sdk::read_clock().time_since_epoch().count()); }

std::string target_of(const std::string& caller) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string target = "/v1/breakers?wait=10s&caller=";
  for (const char c : caller) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '-';
    if (plain) {
      target += c;
    } else {
      target += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return target;
}

}  // namespace

struct Breaker::Inside {
  explicit Inside(const std::string& callee_) : callee(callee_), guarded(callee_, sdk::read_clock(), a_seed()) {}

  const std::string callee;
  sdk::Guarded guarded;
};

struct Breakers::Inside {
  explicit Inside(BreakersOptions options_)
      : options(std::move(options_)), line(options.api, [this] { return look(); }), thread([this] { listen(); }) {}
  ~Inside() {
    {
      const std::lock_guard guard(lock);
      is_ending = true;
    }
    changed.notify_all();
    thread.join();
  }

  void listen();
  enum class Heard { nobody, nothing_new, news };
  Heard hear();
  bool look();
  void tell(Breaker::Inside& breaker);
  void set_in_touch(bool value);
  void rest();

  const BreakersOptions options;
  std::mutex lock;
  std::condition_variable changed;
  bool is_ending = false;
  bool in_touch = false;
  bool is_known = false;
  std::map<std::string, std::unique_ptr<Breaker>, std::less<>> by_callee;
  std::vector<sdk::Report> reports;
  std::string etag;  // of them; this thread only
  sdk::Line line;
  std::thread thread;  // last: it uses all of the above
};

// ---- the thread

void Breakers::Inside::listen() {
  while (true) {
    const Instant began = sdk::read_clock();
    Heard heard = hear();
    if (heard == Heard::nobody && look())
      heard = hear();  // the first failure may be that of a connection that lay idle
    if (heard == Heard::nobody) set_in_touch(false);
    if (!look()) return;
    // Whoever is told at once that there is no news had no place to wait: the API has too many guests.
    const bool is_pressing = heard == Heard::nothing_new && sdk::read_clock() - began < kAgain;
    if (heard == Heard::nobody || is_pressing) rest();
  }
}

/// One question.
Breakers::Inside::Heard Breakers::Inside::hear() {
  const Instant deadline = sdk::read_clock() + kPoll + kPatience;
  const std::optional<sdk::Line::Answer> answer = line.ask(target_of(options.caller), etag, deadline);
  if (!answer || (answer->status != 200 && answer->status != 304)) return Heard::nobody;
  const bool is_news = answer->status == 200;
  if (is_news) {
    std::optional<std::vector<sdk::Report>> page = sdk::read_page(answer->body);
    if (!page) return Heard::nobody;
    etag = answer->etag;
    const std::lock_guard guard(lock);
    reports = std::move(*page);
    is_known = true;
    for (auto& [callee, breaker] : by_callee) tell(*breaker->inside_);
  }
  set_in_touch(true);
  look();
  changed.notify_all();
  return is_news ? Heard::news : Heard::nothing_new;
}

/// Has each breaker decide. False: it is time to end.
bool Breakers::Inside::look() {
  const std::lock_guard guard(lock);
  const Instant now = sdk::read_clock();
  for (auto& [callee, breaker] : by_callee) breaker->inside_->guarded.look(now);
  return !is_ending;
}

/// Requires: the lock.
void Breakers::Inside::tell(Breaker::Inside& breaker) {
  const std::string own = breaker::circuit_name(options.caller, breaker.callee);
  std::optional<sdk::Report> found;
  for (const sdk::Report& each : reports) {
    if (each.name == own || (each.name == breaker.callee && !found)) found = each;
  }
  breaker.guarded.hear(found, sdk::read_clock(), sdk::read_wall_clock_us());
  breaker.guarded.set_in_touch(in_touch);
}

void Breakers::Inside::set_in_touch(bool value) {
  const std::lock_guard guard(lock);
  in_touch = value;
  for (auto& [callee, breaker] : by_callee) breaker->inside_->guarded.set_in_touch(value);
}

void Breakers::Inside::rest() {
  const Instant until = sdk::read_clock() + kAgain;
  while (look() && sdk::read_clock() < until) {
    std::unique_lock waiting(lock);
    changed.wait_for(waiting, sdk::kTick, [this] { return is_ending; });
  }
}

// ---- Breakers

Breakers::Breakers(BreakersOptions options) : inside_(std::make_unique<Inside>(std::move(options))) {}
Breakers::~Breakers() = default;

Breaker& Breakers::to(std::string_view callee) {
  const std::lock_guard guard(inside_->lock);
  const auto found = inside_->by_callee.find(callee);
  if (found != inside_->by_callee.end()) return *found->second;
  const std::string name(callee);
  auto made = std::unique_ptr<Breaker>(new Breaker(std::make_unique<Breaker::Inside>(name)));
  Breaker& breaker = *made;
  inside_->by_callee.emplace(name, std::move(made));
  inside_->tell(*breaker.inside_);
  breaker.inside_->guarded.look(sdk::read_clock());
  return breaker;
}

bool Breakers::in_touch() const {
  const std::lock_guard guard(inside_->lock);
  return inside_->in_touch;
}

bool Breakers::wait_until_known(std::chrono::milliseconds at_most) const {
  std::unique_lock waiting(inside_->lock);
  return inside_->changed.wait_for(waiting, at_most, [this] { return inside_->is_known; });
}

// ---- Breaker

Breaker::Breaker(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}
Breaker::~Breaker() = default;
double Breaker::allowed() const { return inside_->guarded.allowed(); }
bool Breaker::is_known() const { return inside_->guarded.is_known(); }
std::string Breaker::describe() const { return inside_->guarded.describe(); }

// ---- BreakerCall

// The account of a call lies in the caller's frame, unknown to the header.
struct BreakerCall::Inside {
  static breaker::Call& account(BreakerCall& call) {
    static_assert(sizeof(breaker::Call) <= sizeof call.room_ && alignof(breaker::Call) <= 8);
    return *std::launder(reinterpret_cast<breaker::Call*>(call.room_));
  }
  static void end(BreakerCall& call, breaker::Outcome outcome) {
    if (!call.is_open_) return;
    call.is_open_ = false;
    call.breaker_.guarded.end(account(call), call.shard_, outcome, sdk::read_clock());
  }
};

BreakerCall::BreakerCall(Breaker& breaker, bool harmless)
    : breaker_(*breaker.inside_), shard_(sdk::Guarded::this_shard()) {
  auto* const account = new (room_) breaker::Call;
  allowed_ = breaker_.guarded.begin(*account, shard_, harmless, sdk::read_clock());
  is_open_ = allowed_;
}

BreakerCall::~BreakerCall() {
  if (is_open_) breaker_.guarded.cancel(Inside::account(*this), shard_);
}

void BreakerCall::succeeded() { Inside::end(*this, breaker::Outcome::success); }
void BreakerCall::failed() { Inside::end(*this, breaker::Outcome::failure); }
void BreakerCall::unreachable() { Inside::end(*this, breaker::Outcome::unreachable); }

}  // namespace holdfast
