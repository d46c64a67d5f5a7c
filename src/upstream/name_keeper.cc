#include "upstream/name_keeper.h"

#include <algorithm>

#include "io/loop.h"

namespace holdfast::upstream {
namespace {

constexpr Duration kQuestionTimeout = 5s;
constexpr Duration kFirstPause = 1s;
constexpr Duration kLongestPause = 15s;

config::Address to_config(const io::SocketAddress& address) {
  const bool ip4 = address.ip_bytes().size() == 4;
  return {ip4 ? config::Address::Kind::ip4 : config::Address::Kind::ip6, io::ip_to_string(address), 0};
}

std::string list(const std::vector<config::Address>& addresses) {
  std::string text;
  for (const config::Address& each : addresses) text += (text.empty() ? "" : ", ") + each.host;
  return text;
}

}  // namespace

Duration pause_after_failure(unsigned failures, Prng& prng) {
  const unsigned doublings = std::min(failures, 8U) - std::min(failures, 1U);
  const Duration pause = std::min(kFirstPause * (1U << doublings), kLongestPause);
  return pause + Duration(static_cast<Duration::rep>(prng.below(static_cast<std::uint64_t>((pause / 4).count()))));
}

Duration pause_after_answer(Duration ttl) { return std::clamp(ttl, kShortestTtl, kLongestTtl); }

struct NameKeeper::Watch : Pinned {
  explicit Watch(std::string name_) : name(std::move(name_)) {}

  const std::string name;
  bool asked = false;
  unsigned failures = 0;  ///< in a row
  io::Stop stop;
};

NameKeeper::NameKeeper(io::Loop& loop, io::NameServers servers, Say say, Changed changed)
    : loop_(loop),
      servers_(std::move(servers)),
      say_(std::move(say)),
      changed_(std::move(changed)),
      prng_(static_cast<std::uint64_t>(loop.now().time_since_epoch().count())),
      all_asked_(loop),
      tasks_(loop) {}

NameKeeper::~NameKeeper() = default;

void NameKeeper::follow(const std::vector<std::string>& names) {
  std::map<std::string, std::shared_ptr<Watch>, std::less<>> next;
  std::vector<std::shared_ptr<Watch>> fresh;
  for (const std::string& name : names) {
    if (next.contains(name)) continue;
    auto known = watches_.extract(name);
    if (known) {
      next.insert(std::move(known));
    } else {
      fresh.push_back(next.emplace(name, std::make_shared<Watch>(name)).first->second);
    }
  }
  for (const auto& [name, gone] : watches_) {
    gone->stop.request();
    known_.erase(name);
    if (!gone->asked) --unasked_;
  }
  watches_ = std::move(next);
  unasked_ += fresh.size();
  for (std::shared_ptr<Watch>& watch : fresh) tasks_.add(keep(std::move(watch)));
}

void NameKeeper::stop() { follow({}); }

io::Task<bool> NameKeeper::asked_once(Deadline deadline) {
  while (unasked_ != 0) {
    const bool told = co_await all_asked_.wait(deadline);
    if (!told) co_return false;
  }
  co_return true;
}

io::Task<> NameKeeper::keep(std::shared_ptr<Watch> watch) {
  while (!watch->stop.requested()) {
    const Result<io::Resolved> answer =
        co_await io::resolve(loop_, watch->name, servers_, loop_.now() + kQuestionTimeout, watch->stop);
    if (watch->stop.requested()) break;
    Duration pause{};
    if (answer) {
      pause = pause_after_answer(answer->ttl);
      learn(*watch, *answer);
    } else {
      say_failure(*watch, answer.error());
      pause = pause_after_failure(++watch->failures, prng_);
    }
    if (!watch->asked) {
      watch->asked = true;
      if (--unasked_ == 0) all_asked_.notify();
    }
    co_await io::sleep_until(loop_, loop_.now() + pause, watch->stop);
  }
}

void NameKeeper::learn(Watch& watch, const io::Resolved& answer) {
  if (std::exchange(watch.failures, 0) != 0) say_("name " + watch.name + " can be resolved again");
  std::vector<config::Address> addresses;
  for (const io::SocketAddress& each : answer.addresses) addresses.push_back(to_config(each));
  std::vector<config::Address>& known = known_[watch.name];
  if (known == addresses) return;
  known = std::move(addresses);
  say_("name " + watch.name + " is " + list(known));
  changed_();
}

void NameKeeper::say_failure(Watch& watch, const Error& error) {
  if (watch.failures != 0) return;
  const auto known = known_.find(watch.name);
  say_("name " + watch.name + " cannot be resolved (" + error.what +
       "): " + (known == known_.end() ? "it has no endpoint until it can" : "staying with " + list(known->second)));
}

}  // namespace holdfast::upstream
