#include "base/result.h"

#include <cerrno>

namespace holdfast {

std::string_view to_string(Code code) {
  switch (code) {
    case Code::timed_out: return "timed_out";
    case Code::stopped: return "stopped";
    case Code::refused: return "refused";
    case Code::closed: return "closed";
    case Code::protocol: return "protocol";
    case Code::overloaded: return "overloaded";
    case Code::not_leader: return "not_leader";
    case Code::stale: return "stale";
    case Code::denied: return "denied";
    case Code::exists: return "exists";
    case Code::missing: return "missing";
    case Code::corrupt: return "corrupt";
    case Code::invalid: return "invalid";
    case Code::internal: return "internal";
  }
  return "internal";
}

std::string_view to_string(Side side) {
  switch (side) {
    case Side::client: return "client";
    case Side::upstream: return "upstream";
    case Side::store: return "store";
    case Side::local: return "local";
  }
  return "local";
}

Code code_from_errno(int error) {
  switch (error) {
    case ETIMEDOUT: return Code::timed_out;
    case ECANCELED: return Code::stopped;
    case ECONNREFUSED:
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EADDRNOTAVAIL: return Code::refused;
    case EPIPE:
    case ECONNRESET:
    case ECONNABORTED:
    case ENOTCONN: return Code::closed;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EAGAIN: return Code::overloaded;
    case EACCES:
    case EPERM: return Code::denied;
    case EEXIST:
    case EADDRINUSE: return Code::exists;
    case ENOENT: return Code::missing;
    default: return Code::internal;
  }
}

}  // namespace holdfast
