// settle(): finds out what became of a transaction whose outcome is unknown, by asking for the same again.
//
// It rests on the transaction's own fence: a compare that its own put makes untrue. So of all that was sent at most one
// takes effect, however late; and when the fence no longer holds, what stands under the key tells whose write broke it:
// ours carries a value that nobody else writes. What was done and replaced by others since counts as refused.
#pragma once

#include "io/loop.h"
#include "store/store.h"

namespace holdfast::store {

/// What a refusal says about a transaction that may have been done by an earlier try.
enum class Verdict : unsigned char { done_before, not_done };

/// `transaction` puts, among others, under a key that it also compares, a value that nobody else writes.
/// Core: pure.
Verdict judge_refusal(const Transaction& transaction, const Outcome& refused);

/// Whether settle() can tell: some key is compared as `absent` or `modified`, and put.
bool can_be_settled(const Transaction& transaction);

/// Commits, and again while the outcome is unknown, until it is known or the deadline has passed.
/// Requires: can_be_settled(transaction), and its value is nobody else's (a random id in it).
/// Errors: as Store::commit(). Outcome::Kind::unknown only when the deadline has passed.
io::Task<Result<Outcome>> settle(Ref<io::Loop> loop, Ref<Store> store, Transaction transaction, Deadline deadline);

}  // namespace holdfast::store
