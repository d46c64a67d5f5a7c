// What etcd's JSON gateway is asked, and what its answers mean: typed values to JSON and back. Pure.
//
// Its rules (grpc-gateway 1.6.4 in Debian's etcd 3.4.23; 3.6 has version 2): numbers of 64 bits are strings, bytes are
// base64, what is zero or false is left out, a field that it does not know is ignored without a word. So each request
// is made here and nowhere else, and testdata/etcd/ holds what a real etcd answered to it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/record.h"
#include "store/transaction.h"

namespace holdfast::store::etcd {

/// The end of the range of all keys with this prefix: the next key that has it not. "\0" (all that follow) if none.
std::string range_end(std::string_view prefix);

// Requests. Keys are whole, as etcd has them.

std::string range_request(std::string_view prefix, Revision at);
/// How many keys there are at `at`, 0 for now.
std::string count_request(std::string_view prefix, Revision at);
/// The key that was written last, and how many there are.
std::string newest_request(std::string_view prefix);
/// `prefix` goes before each key.
std::string transaction_request(const Transaction& transaction, std::string_view prefix);
std::string grant_request(std::int64_t ttl_s);
std::string keep_alive_request(LeaseId lease);
std::string revoke_request(LeaseId lease);
std::string compact_request(Revision revision);
std::string authenticate_request(std::string_view user, std::string_view password);
std::string watch_request(std::string_view prefix, Revision from);

// Answers. Code::protocol when the text is not what it should be.

struct Header {
  std::uint64_t cluster = 0;
  std::uint64_t member = 0;
  Revision revision = 0;  ///< 0: this answer has none
};

struct RangeAnswer {
  Header header;
  std::vector<Record> records;  ///< in the order they came
  std::uint64_t count = 0;
};
Result<RangeAnswer> read_range(std::string_view json);

struct TransactionAnswer {
  Header header;
  bool succeeded = false;
  std::vector<Record> found;  ///< what the ranges of the failed branch found
};
Result<TransactionAnswer> read_transaction(std::string_view json);

struct LeaseAnswer {
  Header header;
  LeaseId id = 0;
  std::int64_t ttl_s = 0;  ///< 0: it is gone
};
/// Of a grant.
Result<LeaseAnswer> read_lease(std::string_view json);
/// Of a keep-alive: one message of a stream.
Result<LeaseAnswer> read_keep_alive(std::string_view line);

struct StatusAnswer {
  Header header;
  std::string version;
  std::uint64_t bytes = 0;
  std::uint64_t leader = 0;  ///< 0: none is known
  std::vector<std::string> errors;
};
Result<StatusAnswer> read_status(std::string_view json);

struct MemberAnswer {
  std::uint64_t id = 0;
  std::string name;
  std::string url;  ///< the first one clients are told
  bool learner = false;
};
Result<std::vector<MemberAnswer>> read_members(std::string_view json);

/// Of answers that are nothing more than done.
Result<Header> read_header(std::string_view json);
Result<std::string> read_token(std::string_view json);

struct WatchAnswer {
  Header header;
  bool created = false;
  bool canceled = false;  ///< nothing comes any more, though the stream stays open
  Revision compacted = 0;
  std::string reason;
  std::vector<Event> events;
};
/// One line of the stream.
/// Errors: what the stream ended with, as read_error() judges it.
Result<WatchAnswer> read_watch(std::string_view line);

/// What an error of etcd means.
struct Refusal {
  Error error;
  bool surely_not_done = false;  ///< whatever was asked has not happened and will not
  bool try_another = false;      ///< another member, or this one a little later, may well do it
  bool token_refused = false;    ///< log in again
};
/// Reads both shapes of error bodies, those of streams, and what is no JSON at all.
Refusal read_error(std::uint16_t status, std::string_view body);

}  // namespace holdfast::store::etcd
