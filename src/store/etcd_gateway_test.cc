// The store over gateways that are half broken: scripted servers that are silent, lie, or stop in the middle.
#include <algorithm>
#include <gtest/gtest.h>

#include "client/scripted_server_for_tests.h"
#include "store/etcd_caller.h"
#include "store/etcd_run_for_tests.h"
#include "store/etcd_watch.h"

namespace holdfast::store {
namespace {

using client::ScriptedServer;
using Act = ScriptedServer::Act;
using Then = ScriptedServer::Then;

Act say(const std::string& body) { return {{ScriptedServer::ok(body)}, Then::keep}; }
Act refuse(int status, const std::string& body) {
  return {{"HTTP/1.1 " + std::to_string(status) + " No\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           body},
          Then::keep};
}
Act stream(const std::vector<std::string>& messages, Then then = Then::hold) {
  Act act{{ScriptedServer::kChunkedHead}, then};
  for (const std::string& each : messages) act.pieces.push_back(ScriptedServer::chunk(each));
  return act;
}
std::string header(Revision revision, int cluster = 7) {
  return R"("header":{"cluster_id":")" + std::to_string(cluster) + R"(","revision":")" + std::to_string(revision) +
         "\"}";
}
std::string view(Revision revision, int cluster = 7) { return "{" + header(revision, cluster) + "}"; }
std::string message(const std::string& rest) { return R"({"result":{)" + rest + "}}\n"; }
// "L3Av" is "/p/", "L3AvYQ==" is "/p/a".
std::string event(Revision revision) {
  const std::string number = "\"" + std::to_string(revision) + "\"";
  return message(header(revision) + R"(,"events":[{"kv":{"key":"L3AvYQ==","create_revision":)" + number +
                 R"(,"mod_revision":)" + number + "}}]");
}

bool asks(const std::string& request, std::string_view path) {
  return request.starts_with("POST " + std::string(path) + " ");
}

// Two scripted members and a store over them. The first is asked first.
struct World : Pinned {
  using Script = std::function<Act(const std::string& request, std::size_t before)>;
  World(Script first_, Script second_)
      : run(unknown_yet()), first(run.loop(), std::move(first_)), second(run.loop(), std::move(second_)) {
    EtcdOptions options;
    options.prefix = "/p/";
    options.endpoints = {first.url(), second.url()};
    store = std::move(*open_etcd(run.loop(), options));
  }
  ~World() { run.finish(closed(*store)); }

  static EtcdOptions unknown_yet() {
    EtcdOptions options;
    options.endpoints = {"http://127.0.0.1:1"};
    return options;
  }
  static io::Task<bool> closed(Ref<Store> store) {
    co_await store->close();
    co_return true;
  }
  Result<View> read(Duration patience = 5s) { return run.finish(store->read("", run.in(patience))); }
  Result<Outcome> commit(Duration patience = 5s) {
    return run.finish(store->commit({{}, {Write::put("a", "1")}}, run.in(patience)));
  }

  StoreRun run;
  ScriptedServer first;
  ScriptedServer second;
  std::unique_ptr<Store> store;
};

Act silent(const std::string&, std::size_t) { return {{}, Then::hold}; }

TEST(EtcdGateway, a_read_asks_another_when_one_is_silent_or_talks_nonsense) {
  const std::vector<Act> bad{{{}, Then::hold},
                             {{"nonsense\r\n\r\n"}, Then::keep},
                             {{}, Then::close},
                             {{ScriptedServer::kChunkedHead, "20\r\n{\"hea"}, Then::close},
                             refuse(503, R"({"error":"etcdserver: no leader","code":14})"),
                             refuse(502, "<html>")};
  for (const Act& act : bad) {
    World world([&act](const std::string&, std::size_t) { return act; },
                [](const std::string&, std::size_t) { return say(view(5)); });
    const Result<View> got = world.read();
    ASSERT_TRUE(got.has_value()) << got.error().what;
    EXPECT_EQ(got->revision, 5U);
    EXPECT_EQ(got->world, 7U);
  }
}

TEST(EtcdGateway, every_call_ends_at_its_deadline) {
  World world(silent, silent);
  const Instant began = io::read_clock();
  EXPECT_EQ(world.read(200ms).error().code, Code::timed_out);
  EXPECT_LT(io::read_clock() - began, 8s) << "a machine that stands still makes it late, not endless";
}

TEST(EtcdGateway, a_commit_that_was_sent_is_unknown_and_not_sent_again) {
  std::size_t commits = 0;
  const auto script = [&commits](const std::string& request, std::size_t) {
    if (!asks(request, "/v3/kv/txn")) return say("{}");
    ++commits;
    return Act{{}, Then::close};
  };
  World world(script, script);
  const Result<Outcome> outcome = world.commit();
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->kind, Outcome::Kind::unknown);
  EXPECT_NE(outcome->why, "");
  EXPECT_EQ(commits, 1U);
}

TEST(EtcdGateway, a_commit_goes_to_another_when_the_first_surely_has_not_done_it) {
  World dead(silent, [](const std::string& request, std::size_t) {
    return asks(request, "/v3/kv/txn") ? say("{" + header(6) + R"(,"succeeded":true})") : say("{}");
  });
  Result<Outcome> outcome = dead.commit();  // no sign of life
  ASSERT_TRUE(outcome.has_value()) << outcome.error().what;
  EXPECT_EQ(outcome->kind, Outcome::Kind::committed);
  World leaderless(
      [](const std::string& request, std::size_t) {
        return asks(request, "/v3/kv/txn") ? refuse(503, R"({"error":"etcdserver: no leader","code":14})") : say("{}");
      },
      [](const std::string& request, std::size_t) {
        return asks(request, "/v3/kv/txn") ? say("{" + header(6) + R"(,"succeeded":true})") : say("{}");
      });
  outcome = leaderless.commit();
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->kind, Outcome::Kind::committed);
}

TEST(EtcdGateway, a_commit_fails_when_etcd_says_no_and_is_unknown_when_it_does_not_know) {
  std::string answer;
  int status = 429;
  const auto script = [&](const std::string& request, std::size_t) {
    return asks(request, "/v3/kv/txn") ? refuse(status, answer) : say("{}");
  };
  World world(script, script);
  answer = R"({"error":"etcdserver: mvcc: database space exceeded","code":8})";
  EXPECT_EQ(world.commit().error().code, Code::overloaded);
  status = 503;
  answer = R"({"error":"etcdserver: request timed out","code":14})";
  EXPECT_EQ(world.commit()->kind, Outcome::Kind::unknown);
  status = 200;
  answer = "{}";
  EXPECT_EQ(world.commit()->kind, Outcome::Kind::unknown);
}

TEST(EtcdGateway, does_not_believe_a_member_that_answers_from_the_past) {
  std::size_t asked = 0;
  World world([&asked](const std::string&, std::size_t) { return say(view(asked++ == 0 ? 9 : 4)); },
              [](const std::string&, std::size_t) { return say(view(10)); });
  EXPECT_EQ(world.read()->revision, 9U);
  const Result<View> second = world.read();
  EXPECT_EQ(second->revision, 10U);
  EXPECT_EQ(second->world, 7U);
}

TEST(EtcdGateway, sees_another_history_when_all_answer_from_the_past_or_the_cluster_is_another) {
  Revision revision = 9;
  int cluster = 7;
  const auto script = [&](const std::string&, std::size_t) { return say(view(revision, cluster)); };
  World world(script, script);
  EXPECT_EQ(world.read()->world, 7U);
  revision = 4;
  const Result<View> back = world.read();
  EXPECT_EQ(back->revision, 4U);
  EXPECT_NE(back->world, 7U);
  cluster = 8;
  EXPECT_EQ(world.read()->world, 8U);
}

TEST(EtcdGateway, a_watch_goes_on_elsewhere_from_where_it_was) {
  std::vector<std::string> bodies;
  const auto script = [&bodies](const std::string& request, std::size_t) {
    if (!asks(request, "/v3/watch")) return say(view(6));
    bodies.push_back(request.substr(request.find("\r\n\r\n") + 4));
    const std::string created = message(header(6) + R"(,"created":true)");
    switch (bodies.size()) {
      case 1: return stream({created, event(5)}, Then::close);
      case 2: return stream({created, R"({"error":{"grpc_code":14,"message":"etcdserver: no leader"}})"}, Then::keep);
      case 3: return stream({created, "nonsense\n"});
      case 4: return stream({created, message(header(6) + R"(,"canceled":true)")});
      case 5: return Act{{ScriptedServer::kChunkedHead, "ff\r\n{\"resu"}, Then::close};
      // A repetition, and a message cut in pieces.
      case 6: return stream({created, event(5), event(6).substr(0, 30), event(6).substr(30)});
      default: return stream({created});
    }
  };
  World world(script, script);
  std::unique_ptr<Watch> watch = world.store->watch("", 5);
  EXPECT_EQ(world.run.next_events(*watch)->revision, 5U);
  EXPECT_EQ(world.run.next_events(*watch)->revision, 6U);
  EXPECT_EQ(world.run.next_events(*watch, 50ms).error().code, Code::timed_out);
  ASSERT_EQ(bodies.size(), 6U);
  EXPECT_NE(bodies[0].find(R"("start_revision":"5")"), std::string::npos) << bodies[0];
  for (std::size_t i = 1; i < bodies.size(); ++i) {
    EXPECT_NE(bodies[i].find(R"("start_revision":"6")"), std::string::npos) << bodies[i];
  }
}

TEST(EtcdGateway, a_watch_is_stale_when_compacted) {
  const auto script = [](const std::string& request, std::size_t) {
    if (!asks(request, "/v3/watch")) return say(view(6));
    return stream(
        {message(header(6) + R"(,"created":true)"), message(header(0) + R"(,"canceled":true,"compact_revision":"6")")});
  };
  World world(script, script);
  std::unique_ptr<Watch> watch = world.store->watch("", 5);
  EXPECT_EQ(world.run.next_events(*watch).error().code, Code::stale);
  EXPECT_EQ(world.run.next_events(*watch).error().code, Code::stale);
}

// Of history that is compacted while it is told, etcd leaves erases out.
TEST(EtcdGateway, a_watch_does_not_tell_a_past_that_was_compacted_meanwhile) {
  bool told = false;
  const auto script = [&told](const std::string& request, std::size_t) {
    if (asks(request, "/v3/watch")) {
      told = true;
      return stream({message(header(8) + R"(,"created":true)"), event(7)});
    }
    const bool of_the_past = request.find(R"("revision":"4")") != std::string::npos;
    if (!told || !of_the_past) return say(view(8));
    return refuse(400, R"({"error":"etcdserver: mvcc: required revision has been compacted","code":11})");
  };
  World world(script, script);
  std::unique_ptr<Watch> watch = world.store->watch("", 5);
  EXPECT_EQ(world.run.next_events(*watch).error().code, Code::stale);
}

TEST(EtcdGateway, a_watch_that_keeps_something_back_is_left_and_stale_when_all_do) {
  std::size_t streams = 0;
  const auto script = [&streams](const std::string& request, std::size_t) {
    if (asks(request, "/v3/watch")) {
      ++streams;
      return stream({message(header(8) + R"(,"created":true)")});
    }
    if (request.find("count_only") != std::string::npos) return say(view(8));
    return say("{" + header(8) +
               R"(,"kvs":[{"key":"L3AvYQ==","create_revision":"7","mod_revision":"7"}],"count":"1"})");
  };
  World world(script, script);
  std::unique_ptr<Watch> watch = world.store->watch("", 5);
  EXPECT_EQ(world.run.next_events(*watch, 15s).error().code, Code::stale);
  EXPECT_EQ(streams, static_cast<std::size_t>(etcd::kStrikesMax));
}

TEST(EtcdGateway, logs_in_and_once_more_when_the_token_is_refused) {
  std::size_t logins = 0;
  const auto script = [&logins](const std::string& request, std::size_t) {
    if (asks(request, "/v3/auth/authenticate")) return say(R"({"token":"t)" + std::to_string(++logins) + "\"}");
    if (request.find("Authorization: t2\r\n") != std::string::npos) return say(view(5));
    return refuse(401, R"({"error":"etcdserver: invalid auth token","code":16})");
  };
  ScriptedServer::Script both = script;
  World world(both, both);
  EtcdOptions options;
  options.endpoints = {world.first.url()};
  options.user = "root";
  options.password = "secret";
  std::unique_ptr<Store> store = std::move(*open_etcd(world.run.loop(), options));
  const Result<View> got = world.run.finish(store->read("", world.run.in(5s)));
  EXPECT_TRUE(got.has_value()) << got.error().what;
  EXPECT_EQ(logins, 2U);
  world.run.finish(World::closed(*store));
}

}  // namespace
}  // namespace holdfast::store
