#include "upstream/endpoint_keeper.h"

#include <optional>
#include <utility>

#include "store/snapshot_file.h"
#include "upstream/endpoint_record.h"

namespace holdfast::upstream {
namespace {

constexpr Duration kPauseBeforeOpening = 1s;

}  // namespace

EndpointKeeper::EndpointKeeper(io::Loop& loop, Open open, std::filesystem::path file, store::Mirror::Say say,
                               Changed changed)
    : loop_(loop),
      open_(std::move(open)),
      file_(std::move(file)),
      say_(std::move(say)),
      changed_(std::move(changed)),
      stopped_(loop),
      opened_(loop),
      tasks_(loop) {
  tasks_.add(keep());
}

EndpointKeeper::~EndpointKeeper() = default;

void EndpointKeeper::stop() {
  stop_.request();
  stopped_.notify();
}

io::Task<bool> EndpointKeeper::read_once(Deadline deadline) {
  while (mirror_ == nullptr) {
    const bool told = co_await opened_.wait(deadline);
    if (!told) co_return false;
  }
  const bool read = co_await mirror_->read_once(deadline);
  co_return read;
}

io::Task<> EndpointKeeper::keep() {
  const bool opened = co_await open_store();
  if (!opened) co_return;
  mirror_ =
      std::make_unique<store::Mirror>(loop_, *store_, store::Mirror::Options{std::string(kEndpointPrefix), file_}, say_,
                                      [this](const auto&, store::Mirror::Heard) { learn(mirror_->copy().records()); });
  if (mirror_->copy().known()) learn(mirror_->copy().records());  // from the file
  opened_.notify();
  co_await stopped_.wait(kNever);
  mirror_->stop();
  co_await mirror_->idle(kNever);
  co_await store_->close();
}

io::Task<bool> EndpointKeeper::open_store() {
  bool told = false;
  while (!stop_.requested()) {
    Result<std::unique_ptr<store::Store>> store = open_();
    if (store) {
      store_ = std::move(*store);
      co_return true;
    }
    if (!std::exchange(told, true)) {
      say_("the store cannot be opened: " + store.error().what);
      recall();
    }
    co_await io::sleep_until(loop_, loop_.now() + kPauseBeforeOpening, stop_);
  }
  co_return false;
}

// What the last process knew, which the mirror would take up if there were one. It will say if the file is damaged.
void EndpointKeeper::recall() {
  const Result<std::optional<store::View>> kept = store::load_snapshot(file_);
  if (!kept || !*kept) return;
  store::Copy copy;
  copy.replace(**kept);
  learn(copy.records());
}

void EndpointKeeper::learn(const std::map<std::string, store::Record, std::less<>>& records) {
  std::map<std::string, std::string> wrong;
  config::FoundEndpoints found = find_endpoints(records, wrong);
  for (const auto& [key, why] : wrong) {
    if (!wrong_.contains(key)) say_("not used: the record " + key + ": " + why);
  }
  wrong_ = std::move(wrong);
  if (found == found_) return;
  found_ = std::move(found);
  changed_();
}

}  // namespace holdfast::upstream
