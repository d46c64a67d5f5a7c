// Refusal: what a client hears for whom we have no room: 503 with a reason, written without waiting and without a
// buffer, then the end. What it has sent already is read first, or closing would reset the connection and take the
// answer with it (RFC 9112 9.6); what it sends later may still do so. A TCP client is reset.
#pragma once

#include <string_view>

#include "io/stream.h"
#include "proxy/worker.h"

namespace holdfast::proxy {

/// `client`: its address, for the log. `reason` goes into X-Holdfast-Reason and the log.
void turn_away(Worker& worker, Front& front, io::Stream& stream, std::string_view client, std::string_view reason);

}  // namespace holdfast::proxy
