#include "guard/session.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "guard/keys.h"
#include "store/snapshot_file.h"

namespace holdfast::guard {
namespace {

constexpr Duration kLease = 10s;
constexpr Duration kPauseBeforeOpening = 1s;
constexpr Duration kAskTimeout = 1s;
constexpr unsigned kDoublingsMax = 3;  // 1 s to 8 s
constexpr Duration kDoubtsMemory = 30s;
constexpr Duration kVoterMemory = 30s;
/// Who has just come and sees nobody else is not alone: proxies that start together see each other a moment later.
constexpr Duration kAloneAfter = 10s;

/// Votes, voters and probes change all the time, and are never used from a file.
bool outlives_a_restart(std::string_view text) {
  const std::optional<Key> key = parse_key(text);
  if (!key) return false;
  return key->kind == Key::Kind::settings || key->kind == Key::Kind::override || key->kind == Key::Kind::state;
}

}  // namespace

Session::Session(io::Loop& loop, Sharing sharing, journal::Journal& journal, Say say, std::function<void()> changed,
                 std::uint64_t seed)
    : loop_(loop),
      sharing_(std::move(sharing)),
      journal_(journal),
      say_(say),
      changed_(std::move(changed)),
      seed_(seed),
      board_(std::move(say)),
      stopped_(loop),
      tasks_(loop) {
  tasks_.add(keep());
}

Session::~Session() = default;

void Session::stop() {
  stop_.request();
  stopped_.notify();
}

io::Task<> Session::keep() {
  const bool opened = co_await open_store();
  if (!opened) co_return;
  const store::Mirror::Options what{std::string(kBreakerPrefix), sharing_.snapshot, outlives_a_restart};
  const auto told = [this](const std::vector<store::Event>& events, store::Mirror::Heard heard) {
    hear(events, heard);
  };
  mirror_ = std::make_unique<store::Mirror>(loop_, *store_, what, say_, told);
  is_read_anew_ = true;  // what it has from the file takes the place of what was recalled
  const store::LeaseKeeper::Hooks hooks{changed_, changed_};
  lease_ = std::make_unique<store::LeaseKeeper>(loop_, *store_, kLease, hooks, seed_);
  journal_.share(*store_);
  changed_();
  co_await stopped_.wait(kNever);
  lease_->stop();
  mirror_->stop();
  co_await lease_->idle(kNever);
  co_await journal_.unshare();  // before what may wait for a disk
  co_await mirror_->idle(kNever);
  co_await store_->close();
}

io::Task<bool> Session::open_store() {
  bool told = false;
  while (!stop_.requested()) {
    Result<std::unique_ptr<store::Store>> opened = sharing_.open();
    if (opened) {
      store_ = std::move(*opened);
      co_return true;
    }
    if (!std::exchange(told, true)) {
      say_("the store cannot be opened: " + opened.error().what);
      recall();
    }
    co_await io::sleep_until(loop_, loop_.now() + kPauseBeforeOpening, stop_);
  }
  co_return false;
}

// The mirror does the same where there is a store; it will say if the file is damaged.
void Session::recall() {
  Result<std::optional<store::View>> kept = store::load_snapshot(sharing_.snapshot);
  if (!kept || !*kept) return;
  recalled_.replace(std::move(**kept));
  is_read_anew_ = true;
  changed_();
}

void Session::hear(const std::vector<store::Event>& events, store::Mirror::Heard heard) {
  if (heard == store::Mirror::Heard::read) {
    is_read_anew_ = true;
  } else {
    for (const store::Event& each : events) changed_keys_.insert(each.record.key);
  }
  changed_();
}

std::set<std::string, std::less<>> Session::learn(bool late) {
  const bool has_store = mirror_ != nullptr;
  const bool reaches = has_store && mirror_->in_touch();
  const std::uint64_t world = has_store ? mirror_->copy().world() : recalled_.world();
  is_new_world_ = world_ != 0 && std::exchange(world_, world) != world;
  world_ = world;
  if (is_new_world_) board_.begin_anew();
  // What was not watched as it happened, or was while we slept, may have happened long ago.
  const bool is_read_anew = std::exchange(is_read_anew_, false);
  is_live_ = has_read_ && !is_read_anew && !late && !is_new_world_;
  if (reaches && !std::exchange(has_read_, true)) read_at_ = loop_.now();
  note_voters();  // those who have just gone were here until now
  std::set<std::string, std::less<>> changed = board_.forget_settings(loop_.now());
  const Board::Records& records = has_store ? mirror_->copy().records() : recalled_.records();
  const std::set<std::string> keys = std::exchange(changed_keys_, {});
  const bool is_all = is_read_anew || is_new_world_;
  changed.merge(is_all ? board_.learn(records, loop_.now()) : board_.learn(records, keys, loop_.now()));
  note_voters();
  const Instant now = loop_.now();
  std::erase_if(seen_voters_, [now](const auto& each) { return now - each.second > kVoterMemory; });
  voters_ = static_cast<unsigned>(seen_voters_.size());
  return changed;
}

unsigned Session::voters() const {
  const bool is_sure = has_read_ && loop_.now() - read_at_ >= kAloneAfter;
  return is_sure ? voters_ : std::max(voters_, 2U);
}

void Session::note_voters() {
  const Instant now = loop_.now();
  if (has_read_) {
    for (const auto& [node, modified] : board_.voters()) seen_voters_.insert_or_assign(node, now);
  }
  seen_voters_.insert_or_assign(sharing_.node, now);
}

void Session::lease_is_gone() {
  if (lease_ != nullptr) lease_->look_now();
}

void Session::doubt() {
  if (stop_.requested() || std::exchange(is_doubted_, true)) return;
  if (loop_.now() - answered_at_ > kDoubtsMemory) doubts_ = 0;
  tasks_.add(ask_again());
  changed_();
}

io::Task<> Session::ask_again() {
  while (is_doubted_ && !stop_.requested()) {
    const Duration pause = 1s * (1U << std::min(doubts_, kDoublingsMax));
    ++doubts_;
    co_await io::sleep_until(loop_, loop_.now() + pause, stop_);
    if (stop_.requested()) break;
    const Result<store::View> view = co_await store_->read(voter_key(sharing_.node), loop_.now() + kAskTimeout);
    if (!view) continue;
    is_doubted_ = false;
    answered_at_ = loop_.now();
    changed_();
  }
}

}  // namespace holdfast::guard
