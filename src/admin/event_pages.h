// The pages of events: what happened, and what happens.
#pragma once

#include "admin/answer.h"
#include "admin/visit.h"
#include "journal/journal.h"

namespace holdfast::admin {

/// So many are shown unless `?limit=` says otherwise.
inline constexpr std::size_t kEventsShown = 100;
/// A follower to whom nothing happens is told so, lest a proxy between us takes the connection for dead.
inline constexpr Duration kHeartbeat = 15s;

/// The newest, or those after `?since=`, oldest first.
Answer list_events(const http::RequestHead& head, const journal::Journal& journal);

/// Server-sent events: those after Last-Event-ID or `?since=`, or the newest `?limit=`, and then each as it happens.
io::Task<Answer> follow_events(Ref<Visit> visit, Ref<journal::Journal> journal);

}  // namespace holdfast::admin
