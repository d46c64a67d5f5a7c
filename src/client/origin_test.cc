#include "client/origin.h"

#include <gtest/gtest.h>
#include <optional>

#include "client/scripted_server_for_tests.h"

namespace holdfast::client {
namespace {

using Act = ScriptedServer::Act;
using Then = ScriptedServer::Then;

// A server that plays a script, and an origin that asks it.
struct World : Pinned {
  explicit World(ScriptedServer::Script script, OriginLimits limits = {})
      : server(loop, std::move(script)), origin(loop, *parse_url(server.url()), limits) {}

  template <class T>
  T finish(io::Task<T> task) {
    std::optional<T> value;
    io::Scope tasks(loop);
    tasks.add(keep(std::move(task), &value));
    while (tasks.size() != 0) loop.run_once();
    return std::move(*value);
  }
  template <class T>
  static io::Task<> keep(io::Task<T> task, std::optional<T>* into) {
    T value = co_await std::move(task);
    into->emplace(std::move(value));
  }

  Exchanged get(std::size_t body_max = 1000, Duration patience = 5s) {
    return finish(origin.exchange(Request{}, body_max, io::read_clock() + patience));
  }

  io::Loop loop;
  ScriptedServer server;
  Origin origin;
};

Act say(std::string bytes, Then then = Then::keep) { return {{std::move(bytes)}, then}; }

TEST(Origin, uses_a_connection_again_when_the_answer_has_been_read) {
  World world([](const std::string&, std::size_t before) { return say(ScriptedServer::ok(std::to_string(before))); });
  for (const char* body : {"0", "1", "2"}) {
    const Exchanged got = world.get();
    ASSERT_TRUE(got.response.has_value()) << got.response.error().what;
    EXPECT_EQ(got.response->status, 200);
    EXPECT_EQ(got.response->body, body);
  }
  EXPECT_EQ(world.server.connections(), 1U);
}

TEST(Origin, hands_on_the_tag_of_an_answer) {
  World world([](const std::string&, std::size_t) {
    return say("HTTP/1.1 200 OK\r\nETag: W/\"7\"\r\nContent-Length: 0\r\n\r\n");
  });
  EXPECT_EQ(world.get().response->etag, "W/\"7\"");
}

TEST(Origin, a_unix_socket_is_a_server_too) {
  io::Loop loop;
  Origin origin(loop, Url{.tls = false, .host = "/nowhere/x.sock", .port = 0});
  EXPECT_EQ(to_string(origin.url()), "unix:/nowhere/x.sock");
  EXPECT_EQ(authority(origin.url()), "localhost");
}

TEST(Origin, writes_a_request_with_its_length_and_fields) {
  std::string seen;
  World world([&seen](const std::string& request, std::size_t) {
    seen = request;
    return say(ScriptedServer::ok(""));
  });
  Request request;
  request.method = http::Method::post;
  request.target = "/v3/kv/range";
  request.fields = {{"Accept", "application/json"}};
  request.content_type = "application/json";
  request.body = "{}";
  ASSERT_TRUE(world.finish(world.origin.exchange(request, 10, io::read_clock() + 5s)).response.has_value());
  EXPECT_EQ(seen, "POST /v3/kv/range HTTP/1.1\r\nHost: " + authority(world.origin.url()) +
                      "\r\nContent-Type: application/json\r\nContent-Length: 2\r\nAccept: application/json\r\n\r\n{}");
  request.fields = {{"A", "b\r\nC: d"}};
  EXPECT_EQ(world.finish(world.origin.exchange(request, 10, io::read_clock() + 5s)).response.error().code,
            Code::invalid);
}

TEST(Origin, reads_chunks_whatever_their_size_and_bodies_that_end_with_the_connection) {
  World world([](const std::string&, std::size_t before) {
    if (before != 0) return say("HTTP/1.1 200 OK\r\n\r\nuntil the end", Then::close);
    std::string bytes = ScriptedServer::kChunkedHead + ScriptedServer::chunk("abc") + ScriptedServer::chunk("defg");
    bytes += "0\r\n\r\n";
    Act act;
    for (const char c : bytes) act.pieces.emplace_back(1, c);
    return act;
  });
  EXPECT_EQ(world.get().response->body, "abcdefg");
  EXPECT_EQ(world.get().response->body, "until the end");
  EXPECT_EQ(world.server.connections(), 1U);
}

TEST(Origin, skips_interim_answers_but_not_without_end) {
  World world([](const std::string&, std::size_t before) {
    std::string bytes;
    for (std::size_t i = 0; i < (before == 0 ? 8U : 9U); ++i) bytes += "HTTP/1.1 103 Early Hints\r\n\r\n";
    return say(bytes + ScriptedServer::ok("x"));
  });
  EXPECT_EQ(world.get().response->body, "x");
  EXPECT_EQ(world.get().response.error().code, Code::protocol);
}

TEST(Origin, says_whether_a_failed_request_was_sent) {
  World world([](const std::string&, std::size_t before) {
    switch (before) {
      case 0: return Act{{}, Then::hold};
      case 1: return say("garbage\r\n\r\n");
      case 2: return Act{{}, Then::close};
      case 3: return say(ScriptedServer::kChunkedHead + std::string("5\r\nab"), Then::close);
      case 4: return say(ScriptedServer::kChunkedHead + std::string("xyz\r\n"));
      default: return say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab", Then::close);
    }
  });
  const auto code = [](const Exchanged& got) {
    EXPECT_TRUE(got.sent);
    EXPECT_FALSE(got.response.has_value());
    return got.response ? Code::internal : got.response.error().code;
  };
  EXPECT_EQ(code(world.get(1000, 50ms)), Code::timed_out);
  EXPECT_EQ(code(world.get()), Code::protocol);
  EXPECT_EQ(code(world.get()), Code::closed);
  EXPECT_EQ(code(world.get()), Code::closed);
  EXPECT_EQ(code(world.get()), Code::protocol);
  EXPECT_EQ(code(world.get()), Code::closed);
  EXPECT_EQ(world.server.connections(), 6U);
}

TEST(Origin, has_sent_nothing_when_nobody_listens) {
  World world([](const std::string&, std::size_t) { return Act{}; });
  Origin nobody(world.loop, *parse_url("http://127.0.0.1:1"));
  const Exchanged got = world.finish(nobody.exchange(Request{}, 10, io::read_clock() + 5s));
  EXPECT_FALSE(got.sent);
  EXPECT_EQ(got.response.error().code, Code::refused);
  EXPECT_EQ(got.response.error().side, Side::upstream);
}

TEST(Origin, reads_no_more_than_it_is_allowed) {
  World world([](const std::string&, std::size_t) { return say(ScriptedServer::ok("0123456789")); });
  EXPECT_EQ(world.get(11).response->body.size(), 10U);
  EXPECT_EQ(world.get(10).response->body.size(), 10U);
  EXPECT_EQ(world.get(9).response.error().code, Code::overloaded);
}

TEST(Origin, refuses_more_exchanges_than_it_may_hold) {
  World world([](const std::string&, std::size_t) { return Act{{}, Then::hold}; }, {.connections_max = 2});
  std::array<std::optional<Exchanged>, 3> got;
  io::Scope tasks(world.loop);
  for (std::optional<Exchanged>& each : got) {
    tasks.add(World::keep(world.origin.exchange(Request{}, 10, io::read_clock() + 50ms), &each));
  }
  EXPECT_FALSE(got[1].has_value());
  ASSERT_TRUE(got[2].has_value());
  EXPECT_EQ(got[2]->response.error().code, Code::overloaded);
  EXPECT_FALSE(got[2]->sent);
  while (tasks.size() != 0) world.loop.run_once();
  EXPECT_EQ(got[0]->response.error().code, Code::timed_out);
}

TEST(Origin, hands_out_a_stream_piece_by_piece_and_ends_it_when_closed) {
  World world([](const std::string&, std::size_t) {
    return Act{{ScriptedServer::kChunkedHead, ScriptedServer::chunk("one"), ScriptedServer::chunk("two")}, Then::hold};
  });
  Started started = world.finish(world.origin.start(Request{}, io::read_clock() + 5s));
  ASSERT_TRUE(started.incoming.has_value());
  std::unique_ptr<Incoming> stream = std::move(*started.incoming);
  std::string heard;
  while (heard.size() < 6) heard += *world.finish(stream->next(io::read_clock() + 5s));
  EXPECT_EQ(heard, "onetwo");
  EXPECT_EQ(world.finish(stream->next(io::read_clock() + 20ms)).error().code, Code::timed_out);
  world.origin.close();
  EXPECT_EQ(world.finish(stream->next(kNever)).error().code, Code::stopped);
  EXPECT_EQ(world.get().response.error().code, Code::stopped);
  stream.reset();
}

TEST(Url, reads_what_people_write) {
  EXPECT_EQ(*parse_url("http://10.0.0.1:2379"), (Url{false, "10.0.0.1", 2379}));
  EXPECT_EQ(*parse_url("https://db.example/"), (Url{true, "db.example", 443}));
  EXPECT_EQ(*parse_url("http://[::1]:65535"), (Url{false, "::1", 65535}));
  EXPECT_EQ(to_string(*parse_url("http://[::1]:2379")), "http://[::1]:2379");
  for (const char* wrong : {"", "10.0.0.1", "ftp://a", "http://", "http://:1", "http://a:0", "http://a:65536",
                            "http://a:", "http://a/b", "http://[::1", "http://[::1]2", "http://a b", "http://u@h"}) {
    EXPECT_FALSE(parse_url(wrong).has_value()) << wrong;
  }
  EXPECT_TRUE(parse_url("http://" + std::string(253, 'a')).has_value());
  EXPECT_FALSE(parse_url("http://" + std::string(254, 'a')).has_value());
}

}  // namespace
}  // namespace holdfast::client
