#include "proxy/refusal.h"

#include "base/check.h"
#include "http/write_local.h"

namespace holdfast::proxy {
namespace {

std::size_t answer(Worker& worker, io::Stream& stream, std::string_view reason) {
  (void)stream.try_read(worker.scratch());
  http::LocalResponse response;
  response.status = 503;
  response.reason = reason;
  response.retry_after_s = 1;
  const std::optional<std::size_t> size = http::write_local_response(response, worker.scratch());
  check(size.has_value(), "an answer of our own fits the scratch room");
  const io::Moved sent = stream.try_write(worker.scratch().first(*size));
  const std::size_t head = *size - http::local_body_size(response);
  return sent.bytes - std::min(sent.bytes, head);
}

}  // namespace

void turn_away(Worker& worker, Front& front, io::Stream& stream, std::string_view client, std::string_view reason) {
  AccessRecord record;
  record.client = client;
  record.listener = front.name;
  record.reason = reason;
  if (front.listener->config.protocol == config::ListenerProtocol::http) {
    record.status = 503;
    record.response_bytes = answer(worker, stream, reason);
    front.local_answers.add();
  } else {
    stream.reset_on_close();
  }
  if (worker.log_ring() == nullptr) return;
  record.wall_us = worker.wall_clock_us();
  worker.log_ring()->push(record);
}

}  // namespace holdfast::proxy
