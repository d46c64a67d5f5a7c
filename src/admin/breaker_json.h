// Breakers in words that programs rely on: beside how each stands, the settings that whoever calls without a proxy
// needs to decide by itself.
#pragma once

#include <string>
#include <vector>

#include "guard/view.h"

namespace holdfast::admin {

std::string breaker_json(const guard::View& view);
/// { "items": [ … ] }
std::string breakers_json(const std::vector<guard::View>& views);

/// Those that matter to one caller: its own (`feed->x`), and of what it has none for, that of nobody in particular
/// (`x`). Empty: all.
std::vector<guard::View> of_caller(std::vector<guard::View> views, const std::string& caller);

}  // namespace holdfast::admin
