// The server on a loop of its own, spoken to through loopback by blocking sockets in small steps of that loop.
#include "admin/server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "io/signals.h"
#include "io/stream.h"

namespace holdfast::admin {
namespace {

class Client {
 public:
  explicit Client(const Server& server) : fd_(::socket(server.address().family(), SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    EXPECT_EQ(::connect(fd_.get(), server.address().raw(), server.address().size()), 0);
  }
  void send(std::string_view bytes) const {
    EXPECT_EQ(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  void end() const { ::shutdown(fd_.get(), SHUT_WR); }
  /// Takes what has come. False once the server has ended the connection.
  bool take() {
    std::array<char, 4096> room;
    const ssize_t got = ::recv(fd_.get(), room.data(), room.size(), MSG_DONTWAIT);
    if (got > 0) received.append(room.data(), static_cast<std::size_t>(got));
    return got > 0 || (got < 0 && errno == EAGAIN);
  }

  std::string received;

 private:
  io::UniqueFd fd_;
};

struct AdminServer : testing::Test {
  AdminServer() {
    io::ignore_broken_pipes();
    config::Address any;
    any.host = "127.0.0.1";
    Result<std::unique_ptr<Server>> opened =
        Server::open(loop, any, handed, [this](Ref<Visit> visit) { return answer(visit); });
    EXPECT_TRUE(opened.has_value());
    server = std::move(*opened);
    server->start();
  }
  ~AdminServer() override { close(); }

  // Of /wait once the followers were told; /stream: a piece each time; otherwise at once the path and the body.
  io::Task<Answer> answer(Ref<Visit> visit) {
    ++asked;
    Answer answer{.body = std::string(visit->head.path) + std::string(visit->body)};
    const int begun = told;
    if (visit->head.path == "/wait") {
      const Instant until = visit->now() + 1h;
      while (told == begun && visit->take_place()) co_await visit->wait(followers, until);
      answer.body = told == begun ? "nothing" : "told";
    }
    if (visit->head.path == "/stream") {
      std::string piece = stream_head(kEventStream);
      bool goes_on = co_await visit->send(std::move(piece));
      while (goes_on && visit->take_place()) {
        co_await visit->wait(followers, visit->now() + 1h);
        std::string next = "piece";
        goes_on = co_await visit->send(std::move(next));
      }
      answer.is_told = true;
    }
    co_return answer;
  }
  void tell() {
    ++told;
    followers.tell();
  }

  void close() {
    if (server == nullptr) return;
    io::Scope tasks(loop);
    tasks.add(server->close(loop.now() + 5s));
    while (tasks.size() != 0) turn();
    server.reset();
  }
  // Never waits for long: a turn has always something to do.
  void turn() {
    loop.post([] {});
    loop.run_once();
  }
  void run_until_answered(Client& client, std::string_view end) {
    for (int i = 0; i < 10'000 && !client.received.ends_with(end); ++i) {
      turn();
      client.take();
    }
    EXPECT_TRUE(client.received.ends_with(end)) << client.received;
  }
  void run_until_closed(Client& client) {
    client.end();
    bool open = true;
    for (int i = 0; i < 10'000 && open; ++i) {
      turn();
      open = client.take();
    }
    EXPECT_FALSE(open) << client.received;
  }

  io::Loop loop;
  io::HandedSockets handed;
  journal::Followers followers;
  int told = 0;
  int asked = 0;
  std::unique_ptr<Server> server;
};

TEST_F(AdminServer, answers_one_request_after_the_other) {
  Client client(*server);
  client.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until_answered(client, "\r\n\r\n/a");
  client.send("GET /b HTTP/1.1\r\nHost: h\r\n\r\nGET /c HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until_answered(client, "\r\n\r\n/c");
  EXPECT_EQ(asked, 3);
}

TEST_F(AdminServer, understands_a_head_that_comes_byte_by_byte) {
  Client client(*server);
  for (const char byte : std::string_view("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")) {
    client.send({&byte, 1});
    turn();
  }
  run_until_answered(client, "/slow");
}

TEST_F(AdminServer, head_of_the_limit_is_answered_and_one_more_byte_is_431) {
  for (const std::size_t more : {0U, 1U}) {
    std::string request = "GET /fits HTTP/1.1\r\nHost: h\r\n";
    while (request.size() + 1200 < kHeadBytesMax) request.append("X-Filler: " + std::string(1000, 'x') + "\r\n");
    request.append("X-Last: ");
    request.append(kHeadBytesMax + more - request.size() - 4, 'x').append("\r\n\r\n");
    Client client(*server);
    client.send(request);
    run_until_closed(client);
    EXPECT_TRUE(client.received.starts_with(more == 0 ? "HTTP/1.1 200 " : "HTTP/1.1 431 ")) << client.received;
  }
}

TEST_F(AdminServer, a_body_is_never_read_as_a_request) {
  Client client(*server);
  client.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 30\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n!!");
  run_until_answered(client, "/aGET /b HTTP/1.1\r\nHost: h\r\n\r\n!!");
  EXPECT_EQ(asked, 1);
}

TEST_F(AdminServer, a_body_of_the_limit_is_taken_and_one_more_byte_is_413) {
  for (const std::size_t bytes : {kBodyBytesMax - 1, kBodyBytesMax, kBodyBytesMax + 1}) {
    Client client(*server);
    client.send("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n");
    turn();
    if (bytes <= kBodyBytesMax) {
      client.send(std::string(bytes, 'x'));
      run_until_answered(client, "/a" + std::string(bytes, 'x'));
      continue;
    }
    run_until_closed(client);
    EXPECT_TRUE(client.received.starts_with("HTTP/1.1 413 ")) << client.received;
  }
  EXPECT_EQ(asked, 2);
}

TEST_F(AdminServer, the_largest_head_may_have_the_largest_body) {
  const std::string end = "Content-Length: " + std::to_string(kBodyBytesMax) + "\r\n\r\n";
  std::string request = "PUT /a HTTP/1.1\r\nHost: h\r\n";
  while (request.size() + 1200 < kHeadBytesMax) request.append("X-Filler: " + std::string(1000, 'x') + "\r\n");
  request.append("X-Last: ").append(kHeadBytesMax - request.size() - end.size() - 10, 'x').append("\r\n" + end);
  Client client(*server);
  client.send(request + std::string(kBodyBytesMax, 'b') + "GET /b HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until_answered(client, "\r\n\r\n/b");
  EXPECT_EQ(asked, 2);
}

TEST_F(AdminServer, a_body_without_a_length_is_411) {
  Client client(*server);
  client.send("PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n");
  run_until_closed(client);
  EXPECT_TRUE(client.received.starts_with("HTTP/1.1 411 ")) << client.received;
  EXPECT_EQ(asked, 0);
}

TEST_F(AdminServer, who_asks_before_the_body_is_told_to_go_on) {
  Client client(*server);
  client.send("PUT /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  run_until_answered(client, "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("ok");
  run_until_answered(client, "/aok");
}

TEST_F(AdminServer, who_waits_is_told_and_may_ask_again) {
  Client client(*server);
  for (int round = 1; round <= 3; ++round) {
    client.received.clear();
    client.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    for (int i = 0; i < 10'000 && followers.size() == 0; ++i) turn();
    ASSERT_EQ(followers.size(), 1U);
    tell();
    run_until_answered(client, "told");
  }
}

TEST_F(AdminServer, waiting_ends_when_the_client_leaves_or_sends_more) {
  Client leaves(*server);
  leaves.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  for (int i = 0; i < 10'000 && followers.size() == 0; ++i) turn();
  run_until_closed(leaves);
  EXPECT_TRUE(leaves.received.ends_with("nothing")) << leaves.received;
  Client insists(*server);
  insists.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  for (int i = 0; i < 10'000 && followers.size() == 0; ++i) turn();
  insists.send("GET /more HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until_answered(insists, "\r\n\r\n/more");
  Client hurries(*server);
  hurries.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until_answered(hurries, "\r\n\r\n/next");
}

TEST_F(AdminServer, waiting_ends_when_it_is_asked_to_and_nobody_waits_then) {
  Client before(*server);
  before.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  for (int i = 0; i < 10'000 && followers.size() == 0; ++i) turn();
  server->end_waiting();
  run_until_answered(before, "nothing");
  before.received.clear();
  before.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until_answered(before, "nothing");
}

TEST_F(AdminServer, closing_ends_waiting_at_once) {
  Client client(*server);
  client.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  for (int i = 0; i < 10'000 && followers.size() == 0; ++i) turn();
  const Instant before = io::read_clock();
  close();
  EXPECT_LT(io::read_clock() - before, 4s);
  client.take();
  EXPECT_TRUE(client.received.ends_with("nothing")) << client.received;
}

TEST_F(AdminServer, half_of_the_connections_may_wait_and_the_next_is_answered_at_once) {
  std::vector<std::unique_ptr<Client>> waiting;
  for (std::size_t i = 0; i < kWaitingMax; ++i) {
    waiting.push_back(std::make_unique<Client>(*server));
    waiting.back()->send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    for (int turns = 0; turns < 10'000 && followers.size() <= i; ++turns) turn();
  }
  ASSERT_EQ(followers.size(), kWaitingMax);
  Client beyond(*server);
  beyond.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until_answered(beyond, "nothing");
  run_until_closed(*waiting.front());
  beyond.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  for (int i = 0; i < 10'000 && followers.size() < kWaitingMax; ++i) turn();
  EXPECT_EQ(followers.size(), kWaitingMax);
  tell();
  run_until_answered(beyond, "told");
}

TEST_F(AdminServer, a_stream_goes_on_until_the_client_leaves) {
  Client client(*server);
  client.send("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until_answered(client, "Connection: close\r\n\r\n");
  for (int i = 0; i < 3; ++i) {
    for (int turns = 0; turns < 10'000 && followers.size() == 0; ++turns) turn();
    tell();
    run_until_answered(client, "piece");
    client.received.clear();
  }
  run_until_closed(client);
  EXPECT_EQ(followers.size(), 0U);
}

TEST_F(AdminServer, what_is_malformed_is_refused_and_ends_the_connection) {
  Client client(*server);
  client.send("GET  / HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until_closed(client);
  EXPECT_TRUE(client.received.starts_with("HTTP/1.1 400 ")) << client.received;
  EXPECT_EQ(asked, 0);
}

TEST_F(AdminServer, connections_up_to_the_limit_are_served_and_the_next_is_told) {
  std::vector<std::unique_ptr<Client>> clients;
  for (std::size_t i = 0; i < kConnectionsMax; ++i) {
    clients.push_back(std::make_unique<Client>(*server));
    clients.back()->send("GET /in HTTP/1.1\r\nHost: h\r\n\r\n");
    run_until_answered(*clients.back(), "/in");
  }
  Client beyond(*server);
  run_until_closed(beyond);
  EXPECT_TRUE(beyond.received.starts_with("HTTP/1.1 503 ")) << beyond.received;
  run_until_closed(*clients.back());
  Client after(*server);
  after.send("GET /again HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until_answered(after, "/again");
}

TEST_F(AdminServer, closing_ends_idle_connections_at_once) {
  Client idle(*server);
  idle.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until_answered(idle, "/a");
  const Instant before = io::read_clock();
  close();
  EXPECT_LT(io::read_clock() - before, 4s);
  EXPECT_FALSE(idle.take());
}

TEST_F(AdminServer, an_address_in_no_interface_is_refused_with_words) {
  config::Address elsewhere;
  elsewhere.host = "192.0.2.1";  // RFC 5737: nobody's
  const Result<std::unique_ptr<Server>> refused =
      Server::open(loop, elsewhere, handed, [this](Ref<Visit> visit) { return answer(visit); });
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().what.find("admin.bind"), std::string::npos) << refused.error().what;
}

}  // namespace
}  // namespace holdfast::admin
