#include "cli/reload.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "cli/file.h"
#include "cli/registry.h"
#include "cli/sharing.h"
#include "config/host_names.h"

namespace holdfast::cli {
namespace {

void refuse(Control& control, const std::string& why) {
  control.names.follow(config::host_names(control.asked));
  follow_store(control, control.asked);
  say("reload refused: " + why);
}

std::string generation(const Control& control) {
  return "generation=" + std::to_string(control.proxy.snapshot()->generation);
}

io::Task<> reload(Ref<Control> control) {
  std::optional<config::Model> model = read_model(control->options.file);
  if (!model) {
    say("reload refused: the configuration of before goes on");
    co_return;
  }
  if (*model == control->asked) {
    say("reloaded " + generation(*control) + " (nothing changed)");
    co_return;
  }
  std::vector<std::string> names = config::host_names(control->asked);
  std::ranges::copy(config::host_names(*model), std::back_inserter(names));
  control->names.follow(names);
  follow_store(*control, *model);
  co_await control->names.asked_once(control->loop.now() + kPatienceWithNames);
  co_await wait_for_store(control);
  if (control->stop.requested()) {
    say("reload refused: draining");  // and nothing is followed any more
    co_return;
  }
  // The admin API moves with the rest or not at all: its new address is bound first, its old one given up last.
  const bool admin_moves = model->admin != control->asked.admin;
  Result<std::unique_ptr<admin::Server>> fresh;
  if (admin_moves) fresh = open_admin(*control, *model);
  if (!fresh) {
    refuse(*control, fresh.error().what);
    co_return;
  }
  const Result<> applied = control->proxy.apply(with_endpoints(*control, *model));
  if (!applied) {
    refuse(*control, applied.error().what);
    co_return;
  }
  control->asked = std::move(*model);
  share_breakers(*control);
  control->names.follow(config::host_names(control->asked));
  if (admin_moves) {
    control->admin.swap(*fresh);
    if (control->admin != nullptr) control->admin->start();
    control->tasks.add(close_admin(control, std::move(*fresh)));
  }
  say_bound(*control);
  say("reloaded " + generation(*control));
}

void readdress(Control& control) {
  config::Model model = with_endpoints(control, control.asked);
  if (model == control.proxy.snapshot()->model) return;
  const Result<> applied = control.proxy.apply(std::move(model));
  say(applied ? "readdressed " + generation(control) : "readdress refused: " + applied.error().what);
}

}  // namespace

io::Task<> apply_changes(Ref<Control> control) {
  constexpr Duration kGather = 5ms;  // endpoints that change together are applied together
  while (true) {
    co_await control->change.wait(kNever);
    if (control->stop.requested()) co_return;
    if (std::exchange(control->file_changed, false)) {
      co_await reload(control);
      continue;
    }
    co_await io::sleep_until(control->loop, control->loop.now() + kGather, control->stop);
    if (control->stop.requested()) co_return;
    const Instant began = io::read_clock();
    readdress(*control);
    // Many changes in a row may keep this thread busy for half of its time, not for all of it.
    co_await io::sleep_until(control->loop, control->loop.now() + (io::read_clock() - began), control->stop);
  }
}

// A file is read once it has looked the same twice: an editor may still be writing it.
io::Task<> watch_file(Ref<Control> control, std::string applied) {
  constexpr Duration kLook = 250ms;
  std::string before = applied;
  while (!control->stop.requested()) {
    co_await io::sleep_until(control->loop, control->loop.now() + kLook, control->stop);
    const std::string seen = fingerprint(control->options.file);
    const bool settled = seen == before;
    before = seen;
    if (!settled || seen == applied || seen.empty()) continue;
    applied = seen;
    control->file_changed = true;
    control->change.notify();
  }
}

}  // namespace holdfast::cli
