// The scenes of the conformance suite. Revisions and leases begin anywhere: a scene asks where it stands.
#include <algorithm>
#include <array>
#include <memory>
#include <string>

#include "io/scope.h"
#include "store/conformance.h"

namespace holdfast::store {
namespace {

using Kind = Outcome::Kind;
using Scenery = Ref<Scene>;

Transaction put(std::string key, std::string value, LeaseId lease = 0) {
  return {{}, {Write::put(std::move(key), std::move(value), lease)}};
}
Transaction erase(std::string key) { return {{}, {Write::erase(std::move(key))}}; }
Transaction erase_all(std::string prefix) { return {{}, {Write::erase_prefix(std::move(prefix))}}; }
Transaction ask(Compare compare) { return {{std::move(compare)}, {}}; }
Transaction put_if(Compare compare, std::string key, std::string value) {
  return {{std::move(compare)}, {Write::put(std::move(key), std::move(value))}};
}
Transaction with(std::vector<Write> writes) { return {{}, std::move(writes)}; }

std::string text(const std::vector<Record>& records) {
  std::string text;
  for (const Record& each : records) text += each.key + "=" + each.value + " ";
  return text;
}

std::string text(const std::vector<Event>& events) {
  std::string text;
  for (const Event& each : events) {
    text +=
        each.kind == Event::Kind::put ? each.record.key + "=" + each.record.value + " " : "-" + each.record.key + " ";
  }
  return text;
}

io::Task<> reads_what_another_has_committed(Scenery scene) {
  const Outcome first = co_await scene->commit(put("a/1", "x"));
  scene->expect(first.kind == Kind::committed, "it is committed");
  const View view = co_await scene->read("a/");
  scene->expect(text(view.records) == "a/1=x ", "another sees it: " + text(view.records));
  scene->expect(view.revision == first.revision, "at its revision");
  scene->expect(view.world != 0, "the world has a number");
  const Outcome second = co_await scene->commit(put("a/1", "y"));
  scene->expect(second.revision == first.revision + 1, "revisions count transactions");
  const View later = co_await scene->read("a/");
  const Record expected{"a/1", "y", first.revision, second.revision, 0};
  scene->expect(later.records == std::vector<Record>{expected}, "the record knows its revisions");
  scene->expect(later.world == view.world, "the world stays");
}

io::Task<> writes_all_of_a_transaction_at_one_revision(Scenery scene) {
  std::vector<Write> writes{Write::put("b", "1"), Write::put("a", "2"), Write::put("c", "3")};
  const Outcome outcome = co_await scene->commit(with(std::move(writes)));
  const View view = co_await scene->read("");
  scene->expect(text(view.records) == "a=2 b=1 c=3 ", "by key: " + text(view.records));
  for (const Record& each : view.records) scene->expect(each.modified == outcome.revision, "at one revision");
}

io::Task<> makes_no_revision_where_nothing_changes(Scenery scene) {
  const Outcome before = co_await scene->commit(put("a", "1"));
  const Outcome nothing = co_await scene->commit(erase("none"));
  scene->expect(nothing.kind == Kind::committed, "erasing nothing is committed");
  scene->expect(nothing.revision == before.revision, "erasing nothing changes nothing");
  const Outcome asked = co_await scene->commit(Transaction());
  scene->expect(asked.revision == before.revision, "asking changes nothing");
  const Outcome same = co_await scene->commit(put("a", "1"));
  scene->expect(same.revision == before.revision + 1, "putting the same value is a change");
}

io::Task<> refuses_and_says_what_stands_there(Scenery scene) {
  std::vector<Write> writes{Write::put("b", "1"), Write::put("a", "2")};
  const Outcome before = co_await scene->commit(with(std::move(writes)));
  Transaction refused = put("c", "3");
  refused.compares = {Compare::exists("b"), Compare::modified("b", 1), Compare::absent("c"), Compare::exists("a")};
  const Outcome outcome = co_await scene->commit(std::move(refused));
  scene->expect(outcome.kind == Kind::refused, "it is refused");
  scene->expect(text(outcome.found) == "a=2 b=1 ", "by key, each once: " + text(outcome.found));
  scene->expect(outcome.revision == before.revision, "at the revision it was judged");
  const View view = co_await scene->read("c");
  scene->expect(view.records.empty(), "nothing was written");
}

io::Task<> judges_every_kind_of_compare(Scenery scene) {
  const Outcome made = co_await scene->commit(put("a", "1"));
  const Outcome changed = co_await scene->commit(put("a", "2"));
  const std::vector<Compare> hold{Compare::absent("b"), Compare::exists("a"), Compare::created("a", made.revision),
                                  Compare::modified("a", changed.revision), Compare::value_is("a", "2")};
  const std::vector<Compare> fail{Compare::absent("a"),
                                  Compare::exists("b"),
                                  Compare::created("a", changed.revision),
                                  Compare::modified("a", made.revision),
                                  Compare::value_is("a", "1"),
                                  Compare::created("b", 0),
                                  Compare::modified("b", 0),
                                  Compare::value_is("b", "")};
  for (std::size_t i = 0; i < hold.size(); ++i) {
    const Outcome outcome = co_await scene->commit(ask(hold[i]));
    scene->expect(outcome.kind == Kind::committed, "compare " + std::to_string(i) + " holds");
  }
  for (std::size_t i = 0; i < fail.size(); ++i) {
    const Outcome outcome = co_await scene->commit(ask(fail[i]));
    scene->expect(outcome.kind == Kind::refused, "compare " + std::to_string(i) + " does not hold");
  }
}

io::Task<> keeps_created_until_a_key_is_made_anew(Scenery scene) {
  co_await scene->commit(put("a", "1"));
  co_await scene->commit(erase("a"));
  const Outcome anew = co_await scene->commit(put("a", "2"));
  const View view = co_await scene->read("a");
  scene->expect(view.records == std::vector<Record>{{"a", "2", anew.revision, anew.revision, 0}}, "it is a new one");
}

io::Task<> erases_a_prefix_and_nothing_beside_it(Scenery scene) {
  std::vector<Write> writes{Write::put("a", "1"), Write::put("a/1", "2"), Write::put("a/2", "3"),
                            Write::put("a0", "4")};
  co_await scene->commit(with(std::move(writes)));
  const Outcome outcome = co_await scene->commit(erase_all("a/"));
  const View view = co_await scene->read("");
  scene->expect(text(view.records) == "a=1 a0=4 ", text(view.records) + "is left");
  scene->expect(view.revision == outcome.revision, "at one revision");
}

io::Task<> reads_earlier_revisions_but_none_to_come(Scenery scene) {
  const Outcome first = co_await scene->commit(put("a", "1"));
  const Outcome second = co_await scene->commit(put("b", "2"));
  co_await scene->commit(erase("a"));
  const View at_first = co_await scene->read("", first.revision);
  scene->expect(text(at_first.records) == "a=1 ", "the first: " + text(at_first.records));
  scene->expect(at_first.revision == first.revision, "the view is of the revision that was asked for");
  const View at_second = co_await scene->read("", second.revision);
  scene->expect(text(at_second.records) == "a=1 b=2 ", "the second: " + text(at_second.records));
  const Code code = co_await scene->code_of_read("", second.revision + 1000);
  scene->expect(code == Code::invalid, "one to come is invalid, not " + std::string(to_string(code)));
}

io::Task<> forgets_what_was_compacted(Scenery scene) {
  const Outcome first = co_await scene->commit(put("a", "1"));
  co_await scene->commit(put("a", "2"));
  const Outcome third = co_await scene->commit(put("a", "3"));
  const Result<> done = co_await scene->one().compact(third.revision, scene->soon());
  scene->expect(done.has_value(), "it compacts");
  const Code code = co_await scene->code_of_read("a", first.revision);
  scene->expect(code == Code::stale, "earlier ones are stale, not " + std::string(to_string(code)));
  const View view = co_await scene->read("a", third.revision);
  scene->expect(text(view.records) == "a=3 ", "the revision itself is not");
  const std::unique_ptr<Watch> watch = scene->other().watch("", first.revision);
  const Result<Batch> batch = co_await watch->next(scene->soon());
  scene->expect(!batch && batch.error().code == Code::stale, "a watch from there is stale");
  const Result<> again = co_await scene->one().compact(first.revision, scene->soon());
  scene->expect(again.has_value(), "what is compacted already is no error");
}

io::Task<> watches_whole_transactions_in_order(Scenery scene) {
  const Outcome before = co_await scene->commit(put("z", "0"));
  const std::unique_ptr<Watch> watch = scene->other().watch("w/", before.revision + 1);
  std::vector<Write> writes{Write::put("w/b", "1"), Write::put("w/a", "2"), Write::put("x", "3")};
  const Outcome first = co_await scene->commit(with(std::move(writes)));
  co_await scene->commit(put("y", "4"));
  const Outcome second = co_await scene->commit(erase_all("w/"));
  std::vector<Event> events;
  Revision told = 0;
  while (events.size() < 4 && scene->broken().empty()) {
    const Batch batch = co_await scene->next_events(*watch);
    scene->expect(batch.revision > told, "batches go forward");
    told = batch.revision;
    scene->expect(batch.events.size() % 2 == 0, "transactions are whole");
    events.insert(events.end(), batch.events.begin(), batch.events.end());
  }
  const auto by_key = [](const Event& event) { return std::pair(event.record.modified, event.record.key); };
  std::ranges::sort(events, {}, by_key);
  scene->expect(text(events) == "w/a=2 w/b=1 -w/a -w/b ", "what happened there: " + text(events));
  if (events.size() != 4) co_return;
  scene->expect(events[0].record == Record{"w/a", "2", first.revision, first.revision, 0}, "a put is the whole record");
  scene->expect(events[3].record == Record{"w/b", "", 0, second.revision, 0}, "an erasure is the key and its revision");
}

io::Task<> watches_from_the_past_on(Scenery scene) {
  const Outcome first = co_await scene->commit(put("a", "1"));
  co_await scene->commit(put("a", "2"));
  const std::unique_ptr<Watch> watch = scene->other().watch("a", first.revision);
  std::string told;
  while (told.size() < 8 && scene->broken().empty()) {
    const Batch batch = co_await scene->next_events(*watch);
    told += text(batch.events);
  }
  scene->expect(told == "a=1 a=2 ", "each once: " + told);
  co_await scene->commit(put("a", "3"));
  const Batch batch = co_await scene->next_events(*watch);
  scene->expect(text(batch.events) == "a=3 ", "then what comes: " + text(batch.events));
}

io::Task<> lets_a_watch_go_on_after_a_deadline(Scenery scene) {
  const Outcome before = co_await scene->commit(put("a", "1"));
  const std::unique_ptr<Watch> watch = scene->other().watch("a", before.revision + 1);
  const Deadline deadline = scene->loop().now() + 300ms;
  Result<Batch> batch = co_await watch->next(deadline);
  while (batch && batch->events.empty()) batch = co_await watch->next(deadline);
  scene->expect(!batch && batch.error().code == Code::timed_out, "nothing came");
  co_await scene->commit(put("a", "2"));
  const Batch later = co_await scene->next_events(*watch);
  scene->expect(text(later.events) == "a=2 ", "then something did: " + text(later.events));
  watch->close();
  const Result<Batch> closed = co_await watch->next(scene->soon());
  scene->expect(!closed && closed.error().code == Code::stopped, "a closed watch says so");
}

io::Task<> ends_a_lease_with_its_records_together(Scenery scene) {
  const LeaseTerm term = co_await scene->grant(2s);
  scene->expect(term.ttl >= 2s, "it lives as long as was asked for");
  std::vector<Write> writes{Write::put("l/a", "1", term.id), Write::put("l/b", "2", term.id), Write::put("l/c", "3")};
  const Outcome put_them = co_await scene->commit(with(std::move(writes)));
  const View view = co_await scene->read("l/a");
  scene->expect(view.records.size() == 1 && view.records[0].lease == term.id, "a record names its lease");
  const std::unique_ptr<Watch> watch = scene->other().watch("l/", put_them.revision + 1);
  const Batch batch = co_await scene->next_events(*watch);
  scene->expect(scene->loop().boot_now() >= term.ends(), "not before its term");
  scene->expect(text(batch.events) == "-l/a -l/b ", "both at once: " + text(batch.events));
  const Result<LeaseTerm> kept = co_await scene->one().keep_alive(term.id, scene->soon());
  scene->expect(!kept && kept.error().code == Code::missing, "it is gone");
}

// Whether the record of a lease outlived the lease's first term twice over; nothing, if the machine stood still for so
// long that the lease has rightly ended.
io::Task<std::optional<bool>> keeps_a_record(Scenery scene) {
  const LeaseTerm term = co_await scene->grant(2s);
  const Result<Outcome> outcome = co_await scene->one().commit(put("l", "1", term.id), scene->soon());
  BootInstant ends = term.ends();
  if (scene->loop().boot_now() >= ends) co_return std::nullopt;
  scene->expect(outcome && outcome->kind == Kind::committed, "it may be used");
  for (int i = 0; i < 8; ++i) {
    co_await scene->pass(500ms);
    const Result<LeaseTerm> kept = co_await scene->one().keep_alive(term.id, scene->soon());
    if (scene->loop().boot_now() >= ends) co_return std::nullopt;
    scene->expect(kept && kept->ends() >= ends, "each time it lives longer");
    if (!kept) co_return false;
    ends = kept->ends();
  }
  const View view = co_await scene->read("l");
  if (scene->loop().boot_now() >= ends) co_return std::nullopt;
  const Result<> done = co_await scene->one().revoke(term.id, scene->soon());
  scene->expect(done.has_value(), "it is revoked");
  co_return view.records.size() == 1;
}

io::Task<> lets_a_lease_live_while_it_is_kept_alive(Scenery scene) {
  std::optional<bool> stands;
  for (int tries = 0; tries < 5 && !stands; ++tries) stands = co_await keeps_a_record(scene);
  scene->expect(stands.value_or(false), "its record stands");
}

io::Task<> revokes_a_lease_now(Scenery scene) {
  const LeaseTerm term = co_await scene->grant(60s);
  std::vector<Write> writes{Write::put("a", "1", term.id), Write::put("b", "2", term.id)};
  co_await scene->commit(with(std::move(writes)));
  const Outcome freed = co_await scene->commit(put("b", "3"));
  const Result<> done = co_await scene->one().revoke(term.id, scene->soon());
  scene->expect(done.has_value(), "it is revoked");
  const View view = co_await scene->read("");
  scene->expect(text(view.records) == "b=3 ", "a put without a lease takes a record off it: " + text(view.records));
  scene->expect(view.revision == freed.revision + 1, "its end is one revision");
  const Result<> again = co_await scene->one().revoke(term.id, scene->soon());
  scene->expect(again.has_value(), "one that is gone already is no error");
  const Code code = co_await scene->code_of_commit(put("c", "4", term.id));
  scene->expect(code == Code::missing, "a put cannot name it, but says " + std::string(to_string(code)));
  const View after = co_await scene->read("");
  scene->expect(after.revision == view.revision, "and wrote nothing");
}

io::Task<> grants_leases_only_within_bounds(Scenery scene) {
  const Result<LeaseTerm> too_short = co_await scene->one().grant(kShortestLease - 1ns, scene->soon());
  scene->expect(!too_short && too_short.error().code == Code::invalid, "too short");
  const Result<LeaseTerm> too_long = co_await scene->one().grant(kLongestLease + 1ns, scene->soon());
  scene->expect(!too_long && too_long.error().code == Code::invalid, "too long");
  const LeaseTerm shortest = co_await scene->grant(kShortestLease);
  scene->expect(shortest.ttl >= kShortestLease, "the shortest");
  const LeaseTerm longest = co_await scene->grant(kLongestLease);
  scene->expect(longest.ttl >= kLongestLease, "the longest");
  scene->expect(longest.id != shortest.id, "each is another");
  const Result<> done = co_await scene->one().revoke(longest.id, scene->soon());
  scene->expect(done.has_value(), "revoked");
}

io::Task<> keeps_the_limits_of_a_transaction(Scenery scene) {
  Transaction most;
  for (std::size_t i = 0; i < kWritesMax; ++i) most.writes.push_back(Write::put("k" + std::to_string(i), "v"));
  for (std::size_t i = 0; i < kComparesMax; ++i) most.compares.push_back(Compare::absent("n" + std::to_string(i)));
  Transaction too_many = most;
  const Outcome outcome = co_await scene->commit(std::move(most));
  scene->expect(outcome.kind == Kind::committed, "as many as are allowed");
  too_many.writes.push_back(Write::put("one more", "v"));
  const Code code = co_await scene->code_of_commit(std::move(too_many));
  scene->expect(code == Code::invalid, "one more is invalid");
  const Outcome large = co_await scene->commit(put("large", std::string(kValueBytesMax, '\xff')));
  scene->expect(large.kind == Kind::committed, "a value as large as is allowed, of any bytes");
  const View view = co_await scene->read("large");
  scene->expect(view.records.size() == 1 && view.records[0].value == std::string(kValueBytesMax, '\xff'), "comes back");
  const Code larger = co_await scene->code_of_commit(put("larger", std::string(kValueBytesMax + 1, 'x')));
  scene->expect(larger == Code::invalid, "a larger one is invalid");
  const Code nameless = co_await scene->code_of_commit(put("", "x"));
  scene->expect(nameless == Code::invalid, "a key has a name");
  std::vector<Write> twice{Write::put("a/b", "1"), Write::erase_prefix("a/")};
  const Code meeting = co_await scene->code_of_commit(with(std::move(twice)));
  scene->expect(meeting == Code::invalid, "two writes do not meet");
}

io::Task<> keeps_empty_and_strange_values(Scenery scene) {
  const std::string strange("\0\n\"\\\x80=", 6);
  std::vector<Write> writes{Write::put("a", ""), Write::put("b\"\\%_", strange)};
  co_await scene->commit(with(std::move(writes)));
  const View view = co_await scene->read("");
  scene->expect(view.records.size() == 2, "both are there");
  if (view.records.size() != 2) co_return;
  scene->expect(view.records[0].value.empty(), "the empty one");
  scene->expect(view.records[1].key == "b\"\\%_" && view.records[1].value == strange, "the strange one");
  const Outcome outcome = co_await scene->commit(put_if(Compare::value_is("a", ""), "c", "1"));
  scene->expect(outcome.kind == Kind::committed, "an empty value is a value");
}

io::Task<> says_what_is_true_when_no_time_is_left(Scenery scene) {
  const Deadline past = scene->loop().now();
  const Result<Outcome> outcome = co_await scene->one().commit(put("a", "1"), past);
  scene->expect(outcome || outcome.error().code == Code::timed_out, "if it fails, it timed out");
  const Result<View> view = co_await scene->one().read("", past);
  scene->expect(view || view.error().code == Code::timed_out, "so does a read");
  const View after = co_await scene->read("");
  if (!outcome) scene->expect(after.records.empty(), "what failed has written nothing");
  if (outcome && outcome->kind == Kind::committed)
    scene->expect(after.records.size() == 1, "what was committed is there");
}

io::Task<> commit_for(Scenery scene, bool by_one, Transaction transaction, Outcome* outcome) {
  Store& store = by_one ? scene->one() : scene->other();
  Result<Outcome> done = co_await store.commit(std::move(transaction), scene->soon());
  if (done) *outcome = std::move(*done);
}

io::Task<> lets_only_one_win_a_race(Scenery scene) {
  for (int round = 0; round < 10; ++round) {
    const std::string key = "seat/" + std::to_string(round);
    std::array<Outcome, 2> outcomes;
    io::Scope racing(scene->loop());
    racing.add(commit_for(scene, round % 2 == 0, put_if(Compare::absent(key), key, "one"), &outcomes[0]));
    racing.add(commit_for(scene, round % 2 != 0, put_if(Compare::absent(key), key, "other"), &outcomes[1]));
    co_await racing.join(kNever);
    const auto won = std::ranges::count(outcomes, Kind::committed, &Outcome::kind);
    const auto lost = std::ranges::count(outcomes, Kind::refused, &Outcome::kind);
    scene->expect(won == 1 && lost == 1, "one wins, the other is refused");
    const Outcome& loser = outcomes[0].kind == Kind::refused ? outcomes[0] : outcomes[1];
    scene->expect(loser.found.size() == 1, "the loser sees who won");
  }
}

io::Task<> ends_what_waits_when_it_is_closed(Scenery scene) {
  const Outcome before = co_await scene->commit(put("a", "1"));
  const std::unique_ptr<Watch> watch = scene->one().watch("a", before.revision + 1);
  co_await scene->close_one();
  const Result<Batch> batch = co_await watch->next(scene->soon());
  scene->expect(!batch && batch.error().code == Code::stopped, "the watch is stopped");
  const Code code = co_await scene->code_of_read("a", 0);
  scene->expect(code == Code::stopped, "a read is, not " + std::string(to_string(code)));
  const Code commit = co_await scene->code_of_commit(put("a", "2"));
  scene->expect(commit == Code::stopped, "a commit is, not " + std::string(to_string(commit)));
}

io::Task<> says_how_it_is(Scenery scene) {
  const Outcome outcome = co_await scene->commit(put("a", "1"));
  const View view = co_await scene->read("");
  const Result<StoreStatus> status = co_await scene->one().status(scene->soon());
  scene->expect(status.has_value(), "it says something");
  if (!status) co_return;
  scene->expect(!status->engine.empty(), "the engine has a name");
  scene->expect(status->world == view.world, "its world is that of its views");
  scene->expect(status->revision >= outcome.revision, "its revision is no old one");
}

constexpr std::array kPromises{
    Promise{"reads_what_another_has_committed", &reads_what_another_has_committed},
    Promise{"writes_all_of_a_transaction_at_one_revision", &writes_all_of_a_transaction_at_one_revision},
    Promise{"makes_no_revision_where_nothing_changes", &makes_no_revision_where_nothing_changes},
    Promise{"refuses_and_says_what_stands_there", &refuses_and_says_what_stands_there},
    Promise{"judges_every_kind_of_compare", &judges_every_kind_of_compare},
    Promise{"keeps_created_until_a_key_is_made_anew", &keeps_created_until_a_key_is_made_anew},
    Promise{"erases_a_prefix_and_nothing_beside_it", &erases_a_prefix_and_nothing_beside_it},
    Promise{"reads_earlier_revisions_but_none_to_come", &reads_earlier_revisions_but_none_to_come},
    Promise{"forgets_what_was_compacted", &forgets_what_was_compacted},
    Promise{"watches_whole_transactions_in_order", &watches_whole_transactions_in_order},
    Promise{"watches_from_the_past_on", &watches_from_the_past_on},
    Promise{"lets_a_watch_go_on_after_a_deadline", &lets_a_watch_go_on_after_a_deadline},
    Promise{"ends_a_lease_with_its_records_together", &ends_a_lease_with_its_records_together},
    Promise{"lets_a_lease_live_while_it_is_kept_alive", &lets_a_lease_live_while_it_is_kept_alive},
    Promise{"revokes_a_lease_now", &revokes_a_lease_now},
    Promise{"grants_leases_only_within_bounds", &grants_leases_only_within_bounds},
    Promise{"keeps_the_limits_of_a_transaction", &keeps_the_limits_of_a_transaction},
    Promise{"keeps_empty_and_strange_values", &keeps_empty_and_strange_values},
    Promise{"says_what_is_true_when_no_time_is_left", &says_what_is_true_when_no_time_is_left},
    Promise{"lets_only_one_win_a_race", &lets_only_one_win_a_race},
    Promise{"ends_what_waits_when_it_is_closed", &ends_what_waits_when_it_is_closed},
    Promise{"says_how_it_is", &says_how_it_is},
};

}  // namespace

std::span<const Promise> promises() { return kPromises; }

}  // namespace holdfast::store
