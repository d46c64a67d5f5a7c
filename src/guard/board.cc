#include "guard/board.h"

#include <algorithm>
#include <utility>

#include "guard/keys.h"

namespace holdfast::guard {

const Posted& Board::of(std::string_view name) const {
  static const Posted kNothing;
  const auto found = posted_.find(name);
  return found == posted_.end() ? kNothing : found->second;
}

void Board::begin_anew() {
  for (auto& [key, modified] : known_) modified = 0;
}

// Both are sorted, so one walk finds what came, went and changed.
std::set<std::string, std::less<>> Board::learn(const Records& records, Instant now) {
  std::set<std::string, std::less<>> changed;
  auto known = known_.begin();
  for (const auto& [key, record] : records) {
    while (known != known_.end() && known->first < key) {
      forget(known->first, now, changed);
      known = known_.erase(known);
    }
    if (known != known_.end() && known->first == key) {
      if (known->second != record.modified) learn(record, changed);
      known->second = record.modified;
      ++known;
    } else {
      known_.emplace_hint(known, key, record.modified);
      learn(record, changed);
    }
  }
  while (known != known_.end()) {
    forget(known->first, now, changed);
    known = known_.erase(known);
  }
  return changed;
}

std::set<std::string, std::less<>> Board::learn(const Records& records, const std::set<std::string>& keys,
                                                Instant now) {
  std::set<std::string, std::less<>> changed;
  for (const std::string& key : keys) {
    const auto record = records.find(key);
    if (record == records.end()) {
      if (known_.erase(key) != 0) forget(key, now, changed);
    } else if (std::exchange(known_[key], record->second.modified) != record->second.modified) {
      learn(record->second, changed);
    }
  }
  return changed;
}

void Board::learn(const store::Record& record, std::set<std::string, std::less<>>& changed) {
  const std::optional<Key> key = parse_key(record.key);
  if (!key) return;
  if (key->kind == Key::Kind::voter) {
    voters_[std::string(key->node)] = record.modified;
    return;
  }
  Posted& posted = posted_[std::string(key->name)];
  changed.emplace(key->name);
  switch (key->kind) {
    case Key::Kind::voter: break;
    case Key::Kind::settings: {
      const Result<SettingsChange> settings = parse_settings(record.value);
      if (!settings) return refuse(record.key, settings.error());
      posted.settings = *settings;
      posted.settings_end.reset();
      break;
    }
    case Key::Kind::override: {
      posted.override_modified = record.modified;
      Result<OverrideView> override = parse_override(record.value);
      if (!override) return refuse(record.key, override.error());
      posted.override = std::move(*override);
      break;
    }
    case Key::Kind::vote: {
      Result<breaker::Vote> vote = parse_vote(record.value, key->node);
      if (!vote) return refuse(record.key, vote.error());
      posted.votes.insert_or_assign(std::string(key->node), std::move(*vote));
      break;
    }
    case Key::Kind::state: {
      Result<StateRecord> state = parse_state(record.value);
      // Its revision stays unknown too: a step that rests on the one before is refused, and overwrites nothing.
      if (!state) return refuse(record.key, state.error());
      posted.state_modified = record.modified;
      posted.state = std::move(*state);
      break;
    }
    case Key::Kind::probe: {
      posted.probe_created = record.created;
      posted.probe_lease = record.lease;
      Result<ProbeRecord> probe = parse_probe(record.value);
      posted.probe = probe ? std::move(*probe) : ProbeRecord{};  // it is held, by whomever
      break;
    }
  }
}

void Board::forget(const std::string& text, Instant now, std::set<std::string, std::less<>>& changed) {
  const std::optional<Key> key = parse_key(text);
  if (!key) return;
  if (key->kind == Key::Kind::voter) {
    voters_.erase(std::string(key->node));
    return;
  }
  Posted& posted = posted_[std::string(key->name)];
  changed.emplace(key->name);
  switch (key->kind) {
    case Key::Kind::voter: break;
    case Key::Kind::settings:
      if (!posted.settings) break;
      posted.settings_end = now + kSettingsOutlive;
      forgets_at_ = std::min(forgets_at_, *posted.settings_end);
      say_("the record " + text + " was deleted: going on with what it said for a minute, then with the file's");
      break;
    case Key::Kind::override:
      posted.override.reset();
      posted.override_modified = 0;
      break;
    case Key::Kind::vote: posted.votes.erase(std::string(key->node)); break;
    case Key::Kind::state:
      posted.state.reset();
      posted.state_modified = 0;
      break;
    case Key::Kind::probe:
      posted.probe.reset();
      posted.probe_created = 0;
      posted.probe_lease = 0;
      break;
  }
}

std::set<std::string, std::less<>> Board::forget_settings(Instant now) {
  std::set<std::string, std::less<>> changed;
  if (now < forgets_at_) return changed;
  forgets_at_ = kNever;
  for (auto& [name, posted] : posted_) {
    if (!posted.settings_end) continue;
    if (*posted.settings_end > now) {
      forgets_at_ = std::min(forgets_at_, *posted.settings_end);
      continue;
    }
    posted.settings.reset();
    posted.settings_end.reset();
    changed.insert(name);
  }
  return changed;
}

void Board::refuse(const std::string& key, const Error& error) {
  say_("not used: the record " + key + ": " + error.what);
}

}  // namespace holdfast::guard
