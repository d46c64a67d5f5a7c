// What `holdfast store` prints: a line or two for people, one JSON object a line for programs.
#pragma once

#include <string>

#include "store/store.h"

namespace holdfast::cli {

/// {"key":…,"value":…,"created":…,"modified":…,"lease":…}; bytes that are no UTF-8 become U+FFFD.
std::string record_json(const store::Record& record);
/// {"what":"put","revision":…,"key":…,…} or {"what":"erased",…}.
std::string event_json(const store::Event& event);
/// "42 put endpoint/feed/a {…}".
std::string event_line(const store::Event& event);
std::string status_json(const store::StoreStatus& status, std::size_t records);
/// A name and a value a line.
std::string status_table(const store::StoreStatus& status, std::size_t records);

}  // namespace holdfast::cli
