// Exchange: a request and its answer, from the first byte of the one to the last byte of the other.
//
// The way of the data, and where to read it:
//   exchange.cc   read the head, route, answer ourselves where there is nothing to forward, account
//   forward.cc    pick an endpoint, connect, send; on failure decide whether another endpoint may try
//   answer.cc     read the endpoint's head, rewrite it, relay the body
// One object serves the requests of a connection one after the other, as long as they keep coming.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/parse.h"
#include "http/write_local.h"
#include "http/write_response.h"
#include "io/buffer_pool.h"
#include "io/descriptor.h"
#include "io/task.h"
#include "proxy/access_log.h"
#include "proxy/body.h"
#include "proxy/session.h"
#include "proxy/worker.h"
#include "upstream/local_service.h"

namespace holdfast::proxy {

/// Serves requests until none is waiting. False when the connection is to be closed.
io::Task<bool> serve_requests(Ref<Session> session);

class Exchange : io::OnBroken {
 public:
  explicit Exchange(Session& session);
  ~Exchange();

  /// The client has been given up or has gone: nothing is waited for any more.
  void cut_off();

 private:
  friend io::Task<bool> serve_requests(Ref<Session> session);

  enum class HeadState : unsigned char { complete, incomplete, refused, nothing, gone };

  // exchange.cc
  HeadState read_head_now();
  HeadState parse_head();
  io::Task<HeadState> read_head();
  bool make_room_for_head();
  void begin();
  io::Task<> serve();
  void account();
  void prepare_next();
  bool session_may_stay() const;
  /// Nobody will read an answer: the client's connection is dead in both directions, or was cut off. A client that has
  /// only ended its own direction still waits for one.
  bool client_gone() const { return client_.descriptor().broken() || client_.descriptor().cancelled(); }
  static void on_client_broken(io::OnBroken& self);
  io::Task<io::Moved> write_scratch(std::size_t size, Deadline deadline);
  io::Task<> answer_locally(http::LocalResponse response);
  void count_local_body(const http::LocalResponse& response, std::size_t whole, std::size_t sent);
  io::Task<> answer_error(std::uint16_t status, const char* reason);
  io::Task<> redirect(const config::Redirect* redirect);
  void make_request_id();

  // forward.cc
  io::Task<> forward();
  io::Task<> wait_for_place();
  std::optional<std::uint32_t> pick();
  bool change_endpoint();
  std::uint64_t hash_key() const;
  std::optional<std::uint32_t> sticky_endpoint() const;
  enum class Failure : unsigned char { none, connect, reset, timeout, protocol, status, client };
  io::Task<Failure> attempt();
  io::Task<Failure> open_connection();
  io::Task<Failure> send_request();
  io::Task<> upload();
  /// All of the request has been read and passed on.
  bool request_complete() const { return request_body_.done() && !uploading_ && upload_end_ == RelayEnd::complete; }
  io::Task<> end_upload();
  bool may_try_again(Failure failure);
  void report(Failure failure);
  void give_up_endpoint();
  io::Task<> answer_failure(Failure failure);

  // answer.cc
  io::Task<Failure> read_answer_head();
  void make_room_for_answer_head();
  bool is_retried_status(std::uint16_t status) const;
  io::Task<bool> forward_interim();
  io::Task<> relay_answer();
  io::Task<RelayEnd> send_answer_start(http::Framing framing, BodyReader::Piece piece);
  io::Task<> join_tunnel();
  std::string_view why_cut_short(RelayEnd end) const;
  void finish_answer(RelayEnd end);
  void keep_connection();

  Session& session_;
  Worker& worker_;
  io::Stream& client_;
  std::unique_ptr<Heads> heads_;

  // What this request is decided by, the same until its end whatever a reload brings.
  std::shared_ptr<const LocalSnapshot> snapshot_;
  const Listener* listener_ = nullptr;
  upstream::LocalService* service_ = nullptr;

  // Received from the client: [begin_, end_) of the buffer has not been used up.
  io::Buffer in_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  BodyReader request_body_;
  std::span<char> first_piece_;  ///< of the request's body: what had come with the head; kept for another attempt
  bool streamed_ = false;        ///< more of the body than first_piece_ has been passed on: it cannot be sent again

  // The attempt in progress.
  std::uint32_t endpoint_ = 0;
  bool claimed_ = false;
  upstream::Queue::Waiter* waiter_ = nullptr;  ///< in the service's queue
  bool all_busy_ = false;                      ///< the last pick found every endpoint at its limit
  bool set_sticky_ = false;                    ///< the answer sets the affinity cookie
  std::unique_ptr<upstream::Connection> connection_;
  bool sent_ = false;  ///< something of the request was written
  io::Buffer out_;     ///< received from the endpoint: [out_begin_, out_end_)
  std::size_t out_begin_ = 0;
  std::size_t out_end_ = 0;
  BodyReader answer_body_;
  std::array<std::uint32_t, 8> tried_{};
  std::size_t tries_ = 0;

  // The upload of a body that did not come with the head runs beside the answer.
  io::Buffer upload_room_;  ///< what follows the request is in it, at [begin_, end_)
  io::Scope upload_;
  bool uploading_ = false;
  RelayEnd upload_end_ = RelayEnd::complete;

  Instant started_{};
  Instant attempt_began_{};
  Instant answered_{};
  Deadline deadline_{};
  bool keep_alive_ = true;
  bool answer_begun_ = false;
  bool tunnelled_ = false;  ///< the connection has become a tunnel, and ends as one
  std::string_view request_id_;
  std::array<char, 64> request_id_text_{};
  AccessRecord record_;
};

}  // namespace holdfast::proxy
