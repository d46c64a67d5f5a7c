// The commands of holdfast, one function each. Each returns the exit status: 0 done, 1 refused or failed, 2 wrong
// usage.
#pragma once

#include <string>

#include "cli/control.h"

namespace holdfast::cli {

/// `holdfast proxy FILE`: the load balancer alone.
int run_proxy(ProxyOptions options);

/// `holdfast check FILE`: exit 0, or 1 with all problems on stderr.
int check_file(const std::string& file, bool explain);

/// `holdfast schema`: the JSON Schema of the file.
int print_schema();

/// `holdfast version`.
int print_version();

/// `holdfast reference`: docs/configuration.md, from the same tables as the parser.
int print_reference();

}  // namespace holdfast::cli
