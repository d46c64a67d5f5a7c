#include <cstdio>
#include <optional>

#include "engine_torture.h"
#include "io/stop.h"
#include "machines.h"
#include "store/conformance.h"
#include "store/etcd.h"
#include "store/etcd_for_tests.h"

namespace holdfast::sim {
namespace {

using store::EtcdForTests;

enum class Member : unsigned char { well, killed, frozen, cut };

// Hurts one member after another, and now and then two.
struct Nemesis : Pinned {
  Nemesis(io::Loop& loop_, EtcdForTests& etcd_, const Machines* machines_, std::uint64_t seed)
      : loop(&loop_), etcd(&etcd_), machines(machines_), prng(seed), members(etcd_.size(), Member::well) {}

  void mend(std::size_t member) {
    if (members[member] == Member::killed) etcd->restart(member);
    if (members[member] == Member::frozen) etcd->thaw(member);
    if (members[member] == Member::cut) machines->mend(member);
    members[member] = Member::well;
  }
  void hurt(std::size_t member) {
    switch (prng.below(machines == nullptr ? 2 : 4)) {
      case 0:
        etcd->kill(member);
        members[member] = Member::killed;
        break;
      case 1:
        etcd->freeze(member);
        members[member] = Member::frozen;
        break;
      case 2:
        machines->cut_from_peers(member);
        members[member] = Member::cut;
        break;
      default: machines->cut_from_all(member); members[member] = Member::cut;
    }
  }
  void mend_all() {
    for (std::size_t i = 0; i < members.size(); ++i) mend(i);
  }

  io::Loop* loop;
  EtcdForTests* etcd;
  const Machines* machines;  ///< null: all run on this one, and cannot be cut off
  Prng prng;
  std::vector<Member> members;
  io::Stop stop;
};

io::Task<> torment(Ref<Nemesis> nemesis) {
  while (!nemesis->stop.requested()) {
    const Duration pause = 200ms + 1ms * static_cast<int>(nemesis->prng.below(4000));
    const Instant until = nemesis->loop->now() + pause;
    co_await io::sleep_until(*nemesis->loop, until, nemesis->stop);
    if (nemesis->stop.requested()) break;
    const std::size_t member = nemesis->prng.below(nemesis->members.size());
    if (nemesis->members[member] == Member::well) {
      nemesis->hurt(member);
    } else {
      nemesis->mend(member);
    }
  }
  nemesis->mend_all();
}

io::Task<> run_under(Ref<Nemesis> nemesis, Ref<store::RandomHistory> random) {
  io::Scope tormenting(*nemesis->loop);
  tormenting.add(torment(nemesis));
  const auto heal = [&] { nemesis->stop.request(); };
  std::function<void()> healed = heal;
  co_await random->run(std::move(healed));
  co_await tormenting.join(kNever);
}

}  // namespace

int torture_etcd(Duration lasts, std::uint64_t seed) {
  if (!EtcdForTests::installed()) return std::puts(EtcdForTests::kNotInstalled), 2;
  std::optional<Machines> machines;
  std::vector<EtcdForTests::Place> places(3);
  if (Machines::allowed()) {
    machines.emplace(places.size());
    for (std::size_t i = 0; i < places.size(); ++i) {
      places[i] = {machines->on(i), machines->client_address(i), machines->peer_address(i)};
    }
  } else {
    std::puts("without root no member is cut off from the others");
  }
  EtcdForTests etcd(places);
  if (!etcd.wait_until_healthy()) return std::puts("the members do not come up"), 2;
  io::Loop loop;
  const Instant until = loop.now() + lasts;
  std::size_t failures = 0;
  while (loop.now() < until) {
    Nemesis nemesis(loop, etcd, machines ? &*machines : nullptr, seed);
    const store::EtcdOptions options{
        .endpoints = etcd.urls(), .prefix = "/torture" + std::to_string(seed) + "/", .user = {}, .password = {}};
    const auto open = [&] { return std::move(*store::open_etcd(loop, options)); };
    store::RandomHistory random(loop, seed, real_workload(), open, open);
    store::run_on(loop, run_under(nemesis, random));
    // A leader that was frozen may come back and end leases that are kept alive elsewhere (etcd#15247).
    if (!tell_round(seed, random, random.history(), {.false_revoke = true})) ++failures;
    if (!etcd.wait_until_healthy()) return std::puts("the members do not come up again"), 2;
    ++seed;
  }
  return failures == 0 ? 0 : 1;
}

}  // namespace holdfast::sim
