#include "guard/step.h"

#include <utility>

#include "guard/keys.h"

namespace holdfast::guard {
namespace {

using breaker::Proposal;
using breaker::Standing;
using breaker::State;
using store::Compare;
using store::Write;
using Kind = Proposal::Kind;

Compare unchanged(std::string key, store::Revision modified) {
  return modified == 0 ? Compare::absent(std::move(key)) : Compare::modified(std::move(key), modified);
}

std::string make_id(Prng& prng) {
  std::string id;
  for (std::uint64_t bits = prng.next(); id.size() < 16; bits >>= 4) id.push_back("0123456789abcdef"[bits & 0xf]);
  return id;
}

std::string subject_of(const std::string& name) { return "breaker " + name; }

bool speaks_of_probes(Kind kind) { return kind == Kind::ramp || kind == Kind::reopen || kind == Kind::release; }

void add_state(store::Transaction& transaction, const std::string& name, const Standing& next, const Posted& posted,
               const Author& author, Prng& prng) {
  transaction.compares.push_back(unchanged(state_key(name), posted.state_modified));
  std::string value = write_state(next, author.node, make_id(prng), author.clocks);
  transaction.writes.push_back(Write::put(state_key(name), std::move(value)));
}

// Whoever held the power to probe has lost it by the state's change; so that the next need not wait for his lease.
void add_end_of_probe(store::Transaction& transaction, const std::string& name, const Posted& posted) {
  if (posted.probe_created != 0) transaction.writes.push_back(Write::erase(probe_key(name)));
}

}  // namespace

std::string_view word_of(Kind kind) {
  switch (kind) {
    case Kind::trip: return "opened";
    case Kind::take_probe: return "probing";
    case Kind::ramp: return "ramping up";
    case Kind::reopen: return "opened again";
    case Kind::release: return "waiting for calls";
    case Kind::close: return "closed";
    case Kind::expire: return "released";
  }
  return "changed";
}

store::Transaction make_step(const std::string& name, const Proposal& proposal, const Posted& posted,
                             const Author& author, store::LeaseId lease, Prng& prng) {
  store::Transaction transaction;
  const std::uint64_t epoch = posted.state ? posted.state->standing.epoch : 0;
  if (proposal.next.epoch > epoch) add_state(transaction, name, proposal.next, posted, author, prng);
  if (proposal.kind == Kind::take_probe) {
    transaction.compares.push_back(Compare::absent(probe_key(name)));
    std::string value = write_probe({author.node, proposal.next.epoch});
    transaction.writes.push_back(Write::put(probe_key(name), std::move(value), lease));
  }
  if (speaks_of_probes(proposal.kind)) {
    transaction.compares.push_back(Compare::created(probe_key(name), posted.probe_created));
    transaction.writes.push_back(Write::erase(probe_key(name)));
  }
  if (proposal.kind == Kind::expire) {
    transaction.compares.push_back(Compare::modified(override_key(name), posted.override_modified));
    transaction.writes.push_back(Write::erase(override_key(name)));
    if (proposal.next.epoch > epoch) add_end_of_probe(transaction, name, posted);
  }
  if (proposal.kind == Kind::close) add_end_of_probe(transaction, name, posted);
  const journal::Event event{0,
                             author.clocks.wall_us,
                             subject_of(name),
                             std::string(word_of(proposal.kind)),
                             proposal.why,
                             "node " + author.node};
  transaction.writes.push_back(write_event(event, prng));
  return transaction;
}

store::Transaction make_force(const std::string& name, const OverrideView& override, store::Revision modified,
                              Prng& prng) {
  store::Transaction transaction;
  transaction.compares.push_back(unchanged(override_key(name), modified));
  transaction.writes.push_back(Write::put(override_key(name), write_override(override, make_id(prng))));
  const std::string what = override.state == State::open ? "forced open" : "forced closed";
  const journal::Event event{0,    override.since_us, subject_of(name),
                             what, override.reason,   "operator " + override.actor};
  transaction.writes.push_back(write_event(event, prng));
  return transaction;
}

store::Transaction make_release(const std::string& name, bool is_shared, const std::string& actor,
                                const std::string& reason, const Posted& posted, const Author& author, Prng& prng) {
  store::Transaction transaction;
  transaction.compares.push_back(Compare::modified(override_key(name), posted.override_modified));
  transaction.writes.push_back(Write::erase(override_key(name)));
  if (is_shared && posted.override && posted.override->state == State::open) {
    const Standing before = posted.state ? to_standing(*posted.state, author.clocks, true) : Standing();
    const Standing next =
        breaker::open_to_be_probed(before, "an operator let it be probed: " + reason, author.clocks.now);
    add_state(transaction, name, next, posted, author, prng);
    add_end_of_probe(transaction, name, posted);
  }
  const journal::Event event{0, author.clocks.wall_us, subject_of(name), "released", reason, "operator " + actor};
  transaction.writes.push_back(write_event(event, prng));
  return transaction;
}

}  // namespace holdfast::guard
