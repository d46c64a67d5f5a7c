#include "store/mirror.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "store/snapshot_file.h"

namespace holdfast::store {
namespace {

constexpr Duration kReadTimeout = 3s;
constexpr Duration kSaveAgain = 10s;        // after a failure
constexpr Duration kGatherForDisk = 200ms;  // a file is written for many changes, not for each

}  // namespace

Duration pause_before_reading_again(unsigned failures, Prng& prng) {
  const unsigned doublings = std::min(failures, 6U) - std::min(failures, 1U);
  const Duration pause = 100ms * (1U << doublings);
  return pause + Duration(static_cast<Duration::rep>(prng.below(static_cast<std::uint64_t>((pause / 4).count()))));
}

Mirror::Mirror(io::Loop& loop, Store& store, Options options, Say say, Changed changed)
    : loop_(loop),
      store_(store),
      options_(std::move(options)),
      say_(std::move(say)),
      changed_(std::move(changed)),
      prng_(static_cast<std::uint64_t>(loop.now().time_since_epoch().count())),
      read_(loop),
      unsaved_(loop),
      tasks_(loop) {
  if (!options_.file.empty()) {
    load();
    disk_.emplace(loop, "snapshot", [this] {
      say_("what is known of " + options_.prefix + " is not kept for the next start: the disk does not answer, " +
           options_.file.string());
    });
    tasks_.add(save_changes());
  }
  tasks_.add(keep());
}

Mirror::~Mirror() = default;

void Mirror::load() {
  Result<std::optional<View>> kept = load_snapshot(options_.file);
  if (!kept) {
    say_("starting without what was known of " + options_.prefix + ": " + kept.error().what);
  } else if (*kept) {
    copy_.replace(std::move(**kept));
  }
}

io::Task<bool> Mirror::read_once(Deadline deadline) {
  while (!was_read_) {
    const bool told = co_await read_.wait(deadline);
    if (!told) co_return false;
  }
  co_return true;
}

void Mirror::stop() {
  stop_.request();
  if (watch_ != nullptr) watch_->close();
  unsaved_.notify();
}

io::Task<> Mirror::keep() {
  while (!stop_.requested()) {
    Result<View> view = co_await store_.read(options_.prefix, loop_.now() + kReadTimeout);
    if (stop_.requested()) break;
    if (!view) {
      lost(view.error());
      co_await io::sleep_until(loop_, loop_.now() + pause_before_reading_again(++failures_, prng_), stop_);
      continue;
    }
    found();
    const Revision revision = view->revision;
    const std::vector<Event> changes = copy_.replace(std::move(*view));
    if (!changes.empty()) tell_changed(changes, Heard::read);
    if (!std::exchange(was_read_, true)) read_.notify();
    co_await follow(revision + 1);
  }
}

// Until the watch has lost its place, or is silent although it has something to say all the time: then reading shows
// whether the store is there.
io::Task<> Mirror::follow(Revision from) {
  watch_ = store_.watch(options_.prefix, from);
  while (!stop_.requested()) {
    const Result<Batch> batch = co_await watch_->next(loop_.now() + kSilenceMax);
    if (!batch) break;
    const Result<> applied = copy_.apply(*batch);
    if (!applied) break;
    if (!batch->events.empty()) tell_changed(batch->events, Heard::watched);
  }
  watch_.reset();
}

void Mirror::tell_changed(const std::vector<Event>& events, Heard heard) {
  if (std::ranges::any_of(events, [this](const Event& each) { return keeps(each.record.key); })) {
    is_unsaved_ = true;
    unsaved_.notify();
  }
  changed_(events, heard);
}

void Mirror::lost(const Error& error) {
  in_touch_ = false;
  if (std::exchange(told_lost_, true)) return;
  say_("the store cannot be reached (" + error.what +
       "): " + (copy_.known() ? "going on with what is known of " : "nothing is known yet of ") + options_.prefix);
}

void Mirror::found() {
  in_touch_ = true;
  failures_ = 0;
  if (std::exchange(told_lost_, false)) say_("the store is back: " + options_.prefix);
}

View Mirror::worth_keeping() const {
  View view{copy_.world(), copy_.revision(), {}};
  for (const auto& [key, record] : copy_.records()) {
    if (keeps(key)) view.records.push_back(record);
  }
  return view;
}

io::Task<> Mirror::save_changes() {
  bool told = false;  // that it failed, since when nothing was saved
  for (bool is_last = false; !is_last;) {
    const Deadline again = told ? loop_.now() + kSaveAgain : kNever;
    if (!stop_.requested()) co_await unsaved_.wait(again);
    co_await io::sleep_until(loop_, loop_.now() + kGatherForDisk, stop_);
    is_last = stop_.requested();  // what changes while it is written is written then
    if (!std::exchange(is_unsaved_, false)) continue;
    const auto save = [file = options_.file, view = worth_keeping()] { return save_snapshot(file, view); };
    const Result<> saved = co_await disk_->run(save);
    if (!saved && !std::exchange(told, true)) {
      say_("what is known of " + options_.prefix + " will not outlive this process: " + saved.error().what);
    }
    if (saved) told = false;
    if (!saved) is_unsaved_ = true;
  }
}

}  // namespace holdfast::store
