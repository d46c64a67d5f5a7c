// Exchange: a request and its answer, from the first byte of the one to the last byte of the other.
//
// The way of the data, and where to read it:
//   exchange.cc   read the head, route, answer ourselves where there is nothing to forward, account
//   admission.cc  whether the breaker lets it pass, and what the breaker hears of it
//   forward.cc    pick an endpoint, have it try, and another one when that is safe
//   attempt.cc    connect, send, carry up what follows of the body
//   failure.cc    whether another may try, what health hears of it, what the client is told
//   fallback.cc   what the client gets instead of an error: an older answer, another service's, or one from the file
//   answer.cc     read the endpoint's head, rewrite it, relay the body
// One object serves the requests of a connection one after the other, as long as they keep coming.
//
// Most requests wait once: for the endpoint's answer. Whatever can be done without waiting is a plain function, which
// says so when it cannot go on; only then a coroutine takes over. Each coroutine that is in the middle of something is
// a frame in memory, and with hundreds of requests in flight those frames decide what a request costs
// (docs/performance.md).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "breaker/circuit.h"
#include "http/parse.h"
#include "http/write_local.h"
#include "http/write_response.h"
#include "io/buffer_pool.h"
#include "io/descriptor.h"
#include "io/task.h"
#include "proxy/access_log.h"
#include "proxy/body.h"
#include "proxy/outbox.h"
#include "proxy/session.h"
#include "proxy/worker.h"
#include "upstream/local_service.h"

namespace holdfast::proxy {

/// Says that an answer is not the service's own, and whose it replaces.
inline constexpr std::string_view kDegraded = "X-Holdfast-Degraded";

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
  io::Buffer park_head();
  bool unpark_head(io::Buffer parked);
  void begin();
  /// An answer of our own.
  struct Refusal {
    std::uint16_t status;
    const char* reason;
    const config::Redirect* redirect = nullptr;
  };
  std::optional<Refusal> route();
  std::optional<Refusal> take_first_piece();
  io::Task<> refuse(Refusal refusal);
  void account();
  AccessRecord record() const;
  void prepare_next();
  bool session_may_stay() const;
  /// Nobody will read an answer: the client's connection is dead in both directions, or was cut off. A client that has
  /// only ended its own direction still waits for one.
  bool client_gone() const { return client_.descriptor().broken() || client_.descriptor().cancelled(); }
  static void on_client_broken(io::OnBroken& self);
  io::Task<> answer_locally(http::LocalResponse response);
  void linger_over_surplus();
  void count_local_body(const http::LocalResponse& response, std::size_t whole, std::size_t sent);
  io::Task<> answer_error(std::uint16_t status, const char* reason);
  io::Task<> redirect(const config::Redirect* redirect);
  void make_request_id();
  void account_service();

  // admission.cc
  bool hear_callers_deadline();
  std::string_view caller() const;
  /// Null: it may pass. Else why not.
  const char* admit();
  const char* ask_breaker();
  void end_call(breaker::Outcome outcome);
  void begin_call();
  void leave_place(breaker::Outcome outcome, Instant now);
  bool may_stop_waiting() const;
  Deadline look_at_breaker() const;
  bool waits_in_vain() const;
  bool attempt_is_slow() const;
  std::optional<std::uint64_t> time_left_ms() const;

  // forward.cc
  io::Task<> forward();
  io::Task<bool> wait_for_place();
  std::optional<std::uint32_t> pick();
  bool change_endpoint();
  void give_up_endpoint();
  std::uint64_t hash_key() const;
  std::optional<std::uint32_t> sticky_endpoint() const;

  // attempt.cc
  /// How a step of an attempt ended. None of it, std::nullopt: it can only go on by waiting.
  enum class Failure : unsigned char { none, connect, reset, silence, timeout, breaker, protocol, status, client };
  using Ended = std::optional<Failure>;
  Ended start_attempt();
  io::Task<Failure> continue_attempt();
  io::Task<Failure> open_connection();
  std::string_view default_host() const;
  Ended send_request();
  struct Upload;
  void begin_upload();
  io::Task<> carry_upload(Ref<Upload> upload);
  bool uploading() const;
  /// How the upload ended; complete as long as there is none.
  RelayEnd upload_end() const;
  /// All of the request has been read and passed on.
  bool request_complete() const { return request_body_.done() && !uploading() && upload_end() == RelayEnd::complete; }
  io::Task<> end_upload();

  // failure.cc
  bool may_try_again(Failure failure);
  breaker::Outcome outcome_of(Failure failure) const;
  bool watches_for_silence() const;
  bool leave_silent_endpoint();
  Failure ran_out_of_memory();
  Failure ran_out_of_files();
  void report(Failure failure);
  io::Task<> answer_failure(Failure failure);

  // fallback.cc
  /// Answers instead of the service, with `status` if there is nothing better.
  io::Task<> give_up(std::uint16_t status, const char* reason);
  /// What the client can get instead; nothing: an error.
  struct Instead {
    enum class Kind : unsigned char { nothing, older, stand_in, from_file };
    Kind kind = Kind::nothing;
    std::shared_ptr<const upstream::StaleAnswer> older{};

    explicit operator bool() const { return kind != Kind::nothing; }
  };
  Instead choose_instead() const;
  /// The same, and counts who gets an error because too many fall back at once.
  Instead take_instead();
  bool may_stand_in() const;
  io::Task<> ask_stand_in(std::uint32_t stand_in);
  std::shared_ptr<const upstream::StaleAnswer> find_older() const;
  io::Task<> answer_older(std::shared_ptr<const upstream::StaleAnswer> stale, const char* reason);
  io::Task<> answer_from_file(const char* reason);
  std::string answer_key() const;
  void keep_answer();
  void drop_answer();

  // answer.cc
  void expect_answer();
  Deadline answer_due() const;
  Deadline look_for_answer() const;
  Ended read_answer_head(int error);
  Ended parse_answer_head();
  io::Task<Failure> wait_for_answer_head();
  bool make_room_for_answer_head();
  bool begin_answer_body();
  bool is_retried_status(std::uint16_t status) const;
  void forward_interim();
  bool answer_at_once();
  void send_answer_start(http::Framing framing, BodyReader::Piece piece);
  io::Task<> relay_rest_of_answer();
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
  std::uint32_t service_index_ = 0;  ///< in the snapshot
  upstream::LocalService* service_ = nullptr;
  breaker::Circuit* circuit_ = nullptr;  ///< null: no breaker guards it, or it has been told how it went
  std::string_view breaker_;             ///< the one that was asked first, for the access log
  breaker::Admission admission_;
  breaker::Call call_;
  Failure failed_ = Failure::none;                   ///< how the last attempt ended
  bool counted_ = false;                             ///< has a place among the service's concurrent requests
  Instant called_{};                                 ///< when the service had all of the request
  Deadline callers_deadline_ = kNever;               ///< of the service that asks, as it says itself
  const upstream::Service* stood_in_for_ = nullptr;  ///< whose fallback answers

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
  bool sent_ = false;               ///< something of the request was written
  const char* short_of_ = nullptr;  ///< what this process had none left of, as a reason for the client
  Outbox outbox_;                   ///< to the endpoint until the request has been sent, then to the client
  io::Buffer out_;                  ///< received from the endpoint: [out_begin_, out_end_)
  std::size_t out_begin_ = 0;
  std::size_t out_end_ = 0;
  http::HeadEndScanner answer_scanner_;
  int interim_answers_ = 0;
  bool silence_reported_ = false;  ///< of the endpoint, by this attempt
  BodyReader answer_body_;
  BodyReader::Piece answer_piece_;  ///< of the answer's body: what had come with the head
  bool reusable_ = false;           ///< the endpoint's connection, once the answer is complete
  std::array<std::uint32_t, 8> tried_{};
  std::size_t tries_ = 0;

  std::unique_ptr<Upload> upload_;  ///< of a body that did not come with the head: it runs beside the answer

  Instant started_{};
  Instant attempt_began_{};
  Instant answered_{};
  Deadline deadline_{};
  bool keep_alive_ = true;
  bool answer_begun_ = false;
  bool tunnelled_ = false;  ///< the connection has become a tunnel, and ends as one
  std::string_view request_id_;
  std::array<char, 32> request_id_text_{};

  // For the log.
  bool begun_ = false;  ///< the head is complete: heads_ has it
  std::uint16_t status_ = 0;
  std::string_view reason_;
  std::uint64_t response_bytes_ = 0;
};

// What follows the request is in its room, at [begin_, end_).
struct Exchange::Upload : holdfast::Pinned {
  explicit Upload(io::Loop& loop) : task(loop) {}

  io::Buffer room;
  RelayEnd end = RelayEnd::complete;
  bool running = true;
  io::Scope task;
};

inline bool Exchange::uploading() const { return upload_ != nullptr && upload_->running; }
inline RelayEnd Exchange::upload_end() const { return upload_ == nullptr ? RelayEnd::complete : upload_->end; }

}  // namespace holdfast::proxy
