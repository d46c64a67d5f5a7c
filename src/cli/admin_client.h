// What operator commands talk to: the admin API of a running holdfast, found as an operator expects it, and its answers
// as values. Whatever goes wrong is one line.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/pinned.h"
#include "base/result.h"
#include "client/origin.h"

namespace holdfast::cli {

using Json = nlohmann::ordered_json;

/// Where the admin API is: `asked` (an address as in the file, or a URL), else admin.bind of ./holdfast.yaml, else
/// 127.0.0.1:7070.
/// Errors: words that say what to do.
Result<client::Url> find_admin(const std::string& asked);

class AdminClient : Pinned {
 public:
  AdminClient(io::Loop& loop, client::Url url);

  struct Page {
    std::uint16_t status = 0;  ///< 200 or 304
    Json json;                 ///< of 200
    std::string text;          ///< likewise, as it came
    std::string etag;
  };
  /// Errors: nobody answers, or the answer is a refusal, in its own words with the remedy.
  io::Task<Result<Page>> get(std::string target, std::string known_etag, Deadline deadline);
  io::Task<Result<Page>> put(std::string target, std::string body, Deadline deadline);

  /// An answer without end.
  /// Errors: likewise.
  io::Task<Result<std::unique_ptr<client::Incoming>>> follow(std::string target, Deadline deadline);

  io::Loop& loop() { return loop_; }

 private:
  io::Task<Result<Page>> ask(client::Request request, Deadline deadline);
  Error nobody(const Error& error) const;

  io::Loop& loop_;
  client::Origin origin_;
};

/// The text of a member; empty if there is none.
std::string text_of(const Json& json, const char* member);

/// "feed-%3Eprofile": for a path.
std::string percent_encode(const std::string& text);

}  // namespace holdfast::cli
