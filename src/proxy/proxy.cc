#include "proxy/proxy.h"

#include <algorithm>

#include "io/scope.h"
#include "io/stop.h"

namespace holdfast::proxy {

// A worker lives and dies on its own thread.
struct Proxy::Thread : Pinned {
  explicit Thread(unsigned number) : thread("worker-" + std::to_string(number)) {}
  ~Thread() {
    thread.run_and_wait([this] { worker.reset(); });
  }

  io::LoopThread thread;
  std::unique_ptr<Worker> worker;
};

Proxy::Proxy(io::Loop& control, upstream::HealthKeeper::Tell tell, guard::Keeper::Say say)
    : control_(control), health_(control, std::move(tell)), say_(std::move(say)) {}

Proxy::~Proxy() = default;

Result<> Proxy::start(config::Model model, io::HandedSockets& handed) {
  const unsigned threads = std::max(model.proxy.threads != 0 ? model.proxy.threads : io::processor_count(), 1U);
  breakers_ = std::make_unique<guard::Keeper>(control_, threads, say_);
  Result<std::shared_ptr<const Snapshot>> snapshot = make_next(std::move(model));
  if (!snapshot) return pass(snapshot, "configuration");
  snapshot_ = std::move(*snapshot);
  commons_.set_memory(snapshot_->model.proxy.memory);
  if (snapshot_->model.proxy.access_log.enabled()) {
    Result<std::unique_ptr<AccessLog>> log = AccessLog::open(snapshot_->model.proxy.access_log);
    if (!log) return pass(log, "start");
    log_ = std::move(*log);
  }
  for (unsigned i = 0; i < threads; ++i) workers_.push_back(std::make_unique<Thread>(i));
  Result<std::vector<Binding>> fresh = bind_new(snapshot_->model, handed);
  if (!fresh) {
    workers_.clear();
    return pass(fresh, "start");
  }
  for (const auto& service : snapshot_->services) service->take_effect();
  health_.watch(snapshot_->services);
  breakers_->follow(breakers_of(snapshot_->model));
  for (unsigned i = 0; i < workers_.size(); ++i) {
    Thread& each = *workers_[i];
    AccessRing* ring = log_ == nullptr ? nullptr : log_->add_ring();
    each.thread.run_and_wait([&] {
      each.worker = std::make_unique<Worker>(each.thread.loop(), i, static_cast<unsigned>(workers_.size()), commons_,
                                             health_, ring);
      each.worker->adopt(snapshot_);
    });
  }
  hand_out(std::move(*fresh));
  return {};
}

io::Task<> Proxy::abandon() {
  if (breakers_ == nullptr) co_return;
  breakers_->stop();
  co_await breakers_->idle(kNever);
}

Result<> Proxy::apply(config::Model model) {
  Result<std::shared_ptr<const Snapshot>> snapshot = make_next(std::move(model));
  io::HandedSockets none;
  Result<std::vector<Binding>> fresh = snapshot ? bind_new((*snapshot)->model, none) : std::vector<Binding>();
  if (!snapshot || !fresh) {
    breakers_->follow(breakers_of(snapshot_->model));  // without those that were made for what is refused
    if (!snapshot) return pass(snapshot, "configuration");
    return pass(fresh, "reload");
  }

  snapshot_ = std::move(*snapshot);
  commons_.set_memory(snapshot_->model.proxy.memory);
  for (const auto& service : snapshot_->services) service->take_effect();
  health_.watch(snapshot_->services);
  breakers_->follow(breakers_of(snapshot_->model));
  // Whoever hears that the reload is done will be served by it.
  for_each_worker([this](Worker& worker) { worker.adopt(snapshot_); });
  const auto gone = [this](const Binding& binding) {
    const Listener* listener = snapshot_->find_listener(binding.listener);
    return listener == nullptr ||
           std::ranges::find(listener->config.bind, binding.asked) == listener->config.bind.end();
  };
  for (const Binding& binding : bindings_) {
    if (!gone(binding)) continue;
    for (const auto& each : workers_) {
      each->thread.loop().post(
          [worker = each->worker.get(), address = binding.address] { worker->stop_listening(address); });
    }
  }
  std::erase_if(bindings_, gone);
  hand_out(std::move(*fresh));
  return {};
}

Result<std::shared_ptr<const Snapshot>> Proxy::make_next(config::Model model) {
  return make_snapshot(std::move(model), snapshot_.get(),
                       [this](const std::string& name) { return breakers_->circuit(name); });
}

// Everything is bound before anything changes: an address that is taken refuses the whole configuration.
Result<std::vector<Proxy::Binding>> Proxy::bind_new(const config::Model& model, io::HandedSockets& handed) const {
  std::vector<Binding> fresh;
  for (const config::Listener& listener : model.listeners) {
    for (const config::Address& asked : listener.bind) {
      const bool known = std::ranges::any_of(bindings_, [&](const Binding& binding) {
        return binding.listener == listener.name && binding.asked == asked;
      });
      if (known) continue;
      Result<io::SocketAddress> address = asked.is_unix() ? io::SocketAddress::from_unix(asked.host)
                                                          : io::SocketAddress::from_ip(asked.host, asked.port);
      if (!address) return pass(address, "listeners." + listener.name);
      // Beside 0.0.0.0:80 there may be 127.0.0.1:80, and an address may move from one listener to another.
      const bool ours = ports_.contains(address->port()) || std::ranges::any_of(fresh, [&](const Binding& each) {
                          return !each.address.is_unix() && each.address.port() == address->port();
                        });
      Result<std::vector<io::UniqueFd>> sockets =
          open_sockets(listener.name, *address, ours ? io::Company::ourselves : io::Company::nobody, handed);
      if (!sockets) return pass(sockets, "listeners." + listener.name);
      if (!address->is_unix()) *address = io::local_address(sockets->front().get());
      fresh.push_back(Binding{listener.name, asked, *address, std::move(*sockets)});
    }
  }
  return fresh;
}

// Every socket that was handed over is listened on, or what waits in its queue would be lost: several may go to one
// worker. If they are too few, workers share one as they share a Unix socket.
Result<std::vector<io::UniqueFd>> Proxy::open_sockets(const std::string& listener, const io::SocketAddress& address,
                                                      io::Company company, io::HandedSockets& handed) const {
  std::vector<io::UniqueFd> sockets = handed.take(listener, address);
  if (sockets.empty()) return io::listen_as_group(address, workers_.size(), company);
  for (std::size_t i = 0; sockets.size() < workers_.size(); ++i) {
    Result<io::UniqueFd> shared = io::duplicate(sockets[i].get());
    if (!shared) return std::unexpected(std::move(shared.error()));
    sockets.push_back(std::move(*shared));
  }
  return sockets;
}

void Proxy::hand_out(std::vector<Binding> fresh) {
  for (Binding& binding : fresh) {
    for (std::size_t i = 0; i < binding.sockets.size(); ++i) {
      Thread& each = *workers_[i % workers_.size()];
      each.thread.loop().post(
          [worker = each.worker.get(), listener = binding.listener, address = binding.address,
           socket = std::move(binding.sockets[i])]() mutable { worker->listen(listener, address, std::move(socket)); });
    }
    binding.sockets.clear();
    if (!binding.address.is_unix()) ports_.insert(binding.address.port());
    bindings_.push_back(std::move(binding));
  }
}

io::Task<> Proxy::drain(Deadline deadline, Instant idle_until) {
  constexpr Duration kLook = 10ms;
  health_.stop();
  for (const auto& each : workers_) {
    const auto waiting = addresses_left_ ? Worker::Waiting::leave : Worker::Waiting::accept;
    each->thread.loop().post(
        [worker = each->worker.get(), idle_until, waiting] { worker->drain(idle_until, waiting); });
  }
  io::Stop never;
  bool cut = false;
  bool patient = true;
  while (true) {
    std::size_t open = 0;
    for_each_worker([&open](Worker& worker) { open += worker.tasks().size(); });
    if (open == 0) break;
    if (patient && control_.now() >= idle_until) {
      for_each_worker([](Worker& worker) { worker.end_idle(); });
      patient = false;
    }
    if (!cut && control_.now() >= deadline) {
      for_each_worker([](Worker& worker) { worker.cut_off(); });
      cut = true;
    }
    co_await io::sleep_until(control_, control_.now() + kLook, never);
  }
  co_await health_.idle(kNever);
  breakers_->stop();  // what is under way is guarded to its end
  co_await breakers_->idle(kNever);
  workers_.clear();
  for (const Binding& binding : bindings_) {
    if (binding.address.is_unix() && !addresses_left_) ::unlink(binding.asked.host.c_str());
  }
  log_.reset();
}

std::vector<io::NamedSocket> Proxy::listening_sockets() {
  std::vector<io::NamedSocket> all;
  for_each_worker([&all](Worker& worker) { worker.duplicate_listening(all); });
  return all;
}

void Proxy::reopen_log() {
  if (log_ != nullptr) log_->reopen();
}

std::vector<Proxy::Bound> Proxy::bound() const {
  std::vector<Bound> all;
  for (const Binding& binding : bindings_) all.push_back({binding.listener, binding.address});
  return all;
}

void Proxy::for_each_worker(const std::function<void(Worker&)>& read) {
  for (const auto& each : workers_) {
    each->thread.run_and_wait([&] { read(*each->worker); });
  }
}

}  // namespace holdfast::proxy
