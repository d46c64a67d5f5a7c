// The records under endpoint/SERVICE/ID: an endpoint that somebody has registered, as JSON:
//
//   {"address":"10.0.0.1:9001","weight":3,"zone":"z2","backup":false,"state":"ready"}
//
// Only the address has to be there. An endpoint that is "draining" gets nothing new. Keys that are not known are for
// later versions. Format: docs/formats/store.md.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/host_names.h"
#include "store/record.h"

namespace holdfast::upstream {

inline constexpr std::string_view kEndpointPrefix = "endpoint/";

struct EndpointRecord {
  config::Endpoint endpoint;
  bool draining = false;
};

/// Errors: Code::invalid: no JSON, no address, or a value out of range; the words say which.
Result<EndpointRecord> parse_endpoint_record(std::string_view value);

/// The service of "endpoint/feed/a"; empty if the key is of another form.
std::string_view service_of(std::string_view key);

/// All endpoints that may get requests, in the order of their keys; of an address that a service has twice the first
/// counts. `wrong` gets a line for each record that cannot be used.
config::FoundEndpoints find_endpoints(const std::map<std::string, store::Record, std::less<>>& records,
                                      std::map<std::string, std::string>& wrong);

}  // namespace holdfast::upstream
