// Real etcd members for tests, one or three, as child processes: on free ports of 127.0.0.1, with their data in a
// temporary folder, without fsync. They die with the test. Everything here blocks; it is called between turns of a
// loop.
//
//   if (!EtcdForTests::installed()) GTEST_SKIP() << EtcdForTests::kNotInstalled;
//   EtcdForTests etcd(3);
//   ASSERT_TRUE(etcd.wait_until_healthy());
//   ... etcd.urls() ... etcd.freeze(etcd.leader()) ...
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "base/pinned.h"
#include "base/time.h"

namespace holdfast::store {

class EtcdForTests : Pinned {
 public:
  static constexpr const char* kNotInstalled = "etcd is not installed (tools/setup test installs it)";
  static bool installed();

  /// Where a member runs.
  struct Place {
    std::vector<std::string> on{};          ///< what its command line begins with; none: here
    std::string client_host = "127.0.0.1";  ///< where clients reach it
    std::string peer_host = "127.0.0.1";    ///< where the other members do
  };
  /// One member in each place.
  explicit EtcdForTests(const std::vector<Place>& places, std::vector<std::string> flags = {});

  /// Starts `members`; `flags` go to each of them. With --cert-file among them they speak TLS, too, on tls_url().
  explicit EtcdForTests(std::size_t members = 1, std::vector<std::string> flags = {});
  /// Kills what runs and removes the data.
  ~EtcdForTests();

  /// False when a member that should run does not answer that it is healthy, or not in time.
  bool wait_until_healthy(Duration at_most = 20s);

  std::size_t size() const { return members_.size(); }
  /// "http://127.0.0.1:23790", one for each member, those that do not run too.
  std::vector<std::string> urls() const;
  std::string url(std::size_t member) const;
  std::string tls_url(std::size_t member) const;
  std::uint16_t port(std::size_t member) const { return members_[member].client_port; }
  /// Who leads, as far as a member that runs knows; none in an election.
  std::optional<std::size_t> leader() const;

  /// Ends a member at once (SIGKILL) and waits until it is gone. Its data stay.
  void kill(std::size_t member);
  /// Starts a member that was killed, on the same data and ports.
  void restart(std::size_t member);
  /// A member stops in its tracks (SIGSTOP): its sockets accept and say nothing.
  void freeze(std::size_t member);
  void thaw(std::size_t member);
  /// Kills a member and loses its data; restart() then makes a new, empty store of a cluster of one.
  void forget(std::size_t member);

  /// One POST of JSON to a member, as curl would; the answer with its head, as much of it as came within 2 s.
  std::string post(std::size_t member, const std::string& path, const std::string& json) const;
  std::string get(std::size_t member, const std::string& path) const;

 private:
  struct Member {
    std::string name;
    Place place;
    std::uint16_t client_port = 0;
    std::uint16_t peer_port = 0;
    std::uint16_t tls_port = 0;
    pid_t process = -1;
    bool frozen = false;
  };

  std::string client_url(const Member& member) const;
  std::string peer_url(const Member& member) const;
  std::vector<std::string> command(const Member& member) const;
  void start(Member& member);
  void end(Member& member);
  std::string ask(std::size_t member, const std::string& request) const;

  std::vector<std::string> flags_;
  std::string folder_;
  std::vector<Member> members_;
};

}  // namespace holdfast::store
