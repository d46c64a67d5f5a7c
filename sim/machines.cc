#include "machines.h"

#include <cstdlib>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "base/check.h"
#include "io/unique_fd.h"

namespace holdfast::sim {
namespace {

bool run(const std::string& words) { return std::system((words + " 2>/dev/null").c_str()) == 0; }

void must(const std::string& words) { check(run(words), "the network can be laid"); }

/// The device of a cable's end in the hub.
std::string port(const char* kind, std::size_t machine) { return kind + std::to_string(machine); }

constexpr const char* kPeers = "peer";
constexpr const char* kClients = "client";

std::string address(const char* network, std::size_t machine) { return network + std::to_string(machine + 1); }

}  // namespace

bool Machines::allowed() { return ::geteuid() == 0 && run("ip netns list"); }

Machines::Machines(std::size_t count) : prefix_("holdfast-" + std::to_string(::getpid()) + "-"), count_(count) {
  const std::string hub = prefix_ + "hub";
  must("ip netns add " + hub);
  const io::UniqueFd space(::open(("/run/netns/" + hub).c_str(), O_RDONLY | O_CLOEXEC));
  check(space && ::setns(space.get(), CLONE_NEWNET) == 0, "the hub can be entered");
  must("ip link set lo up");
  for (const char* kind : {kPeers, kClients}) {
    must(std::string("ip link add name ") + kind + "s type bridge");
    must(std::string("ip link set ") + kind + "s up");
  }
  must("ip address add 10.77.0.254/24 dev " + std::string(kClients) + "s");
  for (std::size_t i = 0; i < count_; ++i) add(i);
}

Machines::~Machines() {
  for (std::size_t i = 0; i < count_; ++i) run("ip netns del " + name(i));
  run("ip netns del " + prefix_ + "hub");
}

void Machines::add(std::size_t machine) const {
  must("ip netns add " + name(machine));
  const std::string there = "ip -n " + name(machine) + " ";
  must(there + "link set lo up");
  const auto plug = [&](const char* kind, const std::string& own) {
    const std::string cable = port(kind, machine);
    must("ip link add name " + cable + " type veth peer name " + kind + " netns " + name(machine));
    must("ip link set " + cable + " master " + kind + "s up");
    must(there + "address add " + own + "/24 dev " + kind);
    must(there + "link set " + kind + " up");
  };
  plug(kPeers, peer_address(machine));
  plug(kClients, client_address(machine));
}

std::vector<std::string> Machines::on(std::size_t machine) const {
  return {"/usr/bin/env", "ip", "netns", "exec", name(machine)};
}

std::string Machines::client_address(std::size_t machine) const { return address("10.77.0.", machine); }
std::string Machines::peer_address(std::size_t machine) const { return address("10.78.0.", machine); }

void Machines::cut_from_peers(std::size_t machine) const { must("ip link set " + port(kPeers, machine) + " down"); }

void Machines::cut_from_all(std::size_t machine) const {
  cut_from_peers(machine);
  must("ip link set " + port(kClients, machine) + " down");
}

void Machines::mend(std::size_t machine) const {
  must("ip link set " + port(kPeers, machine) + " up");
  must("ip link set " + port(kClients, machine) + " up");
}

}  // namespace holdfast::sim
