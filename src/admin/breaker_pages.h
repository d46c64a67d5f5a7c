// The pages of breakers: what there is, told again as soon as it changes; and an operator's word.
#pragma once

#include <string>

#include "admin/answer.h"
#include "admin/visit.h"
#include "guard/keeper.h"

namespace holdfast::admin {

/// The longest that `?wait=` waits.
inline constexpr Duration kWaitMax = 60s;
/// So long a forced state may take to be everybody's.
inline constexpr Duration kForceTimeout = 5s;

/// All, or those of `?caller=`. With If-None-Match and `?wait=30s` it answers when something is otherwise, and 304 if
/// nothing was until then. `world` tells this process's versions from those of another.
io::Task<Answer> list_breakers(Ref<Visit> visit, Ref<guard::Keeper> keeper, std::string world);

/// `name` as it stands in the path.
Answer show_breaker(const guard::Keeper& keeper, const std::string& name);

/// Carries out the Wish in the body; the breaker as it then is.
io::Task<Answer> put_breaker(Ref<Visit> visit, Ref<guard::Keeper> keeper, std::string name);

}  // namespace holdfast::admin
