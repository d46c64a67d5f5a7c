// The JSON pages: a Status in words that programs rely on; fields may be added, none renamed. Lists are
// { "items": [ … ] }, so that more can stand beside them one day.
#pragma once

#include <string>

#include "admin/status.h"

namespace holdfast::admin {

std::string listeners_json(const Status& status);
std::string services_json(const Status& status);

}  // namespace holdfast::admin
