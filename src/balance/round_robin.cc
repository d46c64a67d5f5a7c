#include "balance/round_robin.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/check.h"

namespace holdfast::balance {
namespace {

/// After this many turns credits are written out anew, long before weight x turn could overflow.
constexpr std::int64_t kRebaseTurns = 65'536;

__extension__ using Wide = __int128;

}  // namespace

void RoundRobin::set_weights(std::span<const std::uint32_t> weights) {
  const std::int64_t before = total_;
  std::vector<std::int64_t> credits(weights.size(), 0);
  std::int64_t after = 0;
  for (const std::uint32_t weight : weights) after += weight;
  for (const Class& each : classes_) {
    for (const Entry& entry : each.entries) {
      const bool stays = entry.member < weights.size() && weights[entry.member] != 0;
      const Wide credit = entry.credit + each.weight * turn_;
      if (stays) credits[entry.member] = static_cast<std::int64_t>(credit * after / before);
    }
  }
  weights_.assign(weights.begin(), weights.end());
  rebuild(credits);
}

void RoundRobin::rebuild(std::span<const std::int64_t> credits) {
  turn_ = 0;
  total_ = 0;
  classes_.clear();
  std::vector<std::uint32_t> order;
  for (std::uint32_t member = 0; member < weights_.size(); ++member) {
    if (weights_[member] != 0) order.push_back(member);
    total_ += weights_[member];
  }
  std::ranges::sort(order, [&](std::uint32_t a, std::uint32_t b) {
    if (weights_[a] != weights_[b]) return weights_[a] > weights_[b];
    return credits[a] != credits[b] ? credits[a] > credits[b] : a < b;
  });
  for (const std::uint32_t member : order) {
    if (classes_.empty() || classes_.back().weight != weights_[member]) {
      classes_.push_back(Class{weights_[member], 0, {}});
    }
    classes_.back().entries.push_back(Entry{credits[member], member});
  }
  rebase();
  choose_front();
}

void RoundRobin::choose_front() {
  front_ = 0;
  std::int64_t most = 0;
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    const Class& each = classes_[i];
    const std::int64_t credit = each.entries[each.head].credit + each.weight * (turn_ + 1);
    const bool first = i == 0 || credit > most || (credit == most && head_of(each) < head_of(classes_[front_]));
    if (!first) continue;
    most = credit;
    front_ = i;
  }
}

void RoundRobin::pay(Class& payer) {
  std::vector<Entry>& entries = payer.entries;
  // The queue is full at all times, so the slot of the head is also the slot behind the tail.
  std::size_t slot = payer.head;
  entries[slot].credit -= total_;
  payer.head = slot + 1 == entries.size() ? 0 : slot + 1;
  // In a settled sequence the payer is now the poorest. After a change of weights it may not be: it moves up.
  for (std::size_t steps = 1; steps < entries.size(); ++steps) {
    const std::size_t ahead = slot == 0 ? entries.size() - 1 : slot - 1;
    if (entries[ahead].credit >= entries[slot].credit) break;
    std::swap(entries[ahead], entries[slot]);
    slot = ahead;
  }
}

void RoundRobin::serve() {
  check(!empty(), "somebody can serve");
  pay(classes_[front_]);
  if (++turn_ >= kRebaseTurns) rebase();
  choose_front();
}

void RoundRobin::forgo() {
  check(!empty(), "somebody can forgo");
  pay(classes_[front_]);
  if (++refusals_ >= kRebaseTurns) rebase();
  choose_front();
}

void RoundRobin::skip(std::uint64_t turns) {
  while (turns-- > 0) serve();
}

std::uint64_t RoundRobin::cycle() const {
  std::uint64_t divisor = 0;
  for (const std::uint32_t weight : weights_) divisor = std::gcd(divisor, weight);
  return divisor == 0 ? 0 : static_cast<std::uint64_t>(total_) / divisor;
}

void RoundRobin::rebase() {
  std::int64_t sum = 0;
  std::int64_t members = 0;
  for (Class& each : classes_) {
    for (Entry& entry : each.entries) {
      entry.credit += each.weight * turn_;
      sum += entry.credit;
      ++members;
    }
  }
  turn_ = 0;
  refusals_ = 0;
  // Only differences decide; refusals and departures move the mean, which would otherwise run away.
  if (members == 0 || sum / members == 0) return;
  for (Class& each : classes_) {
    for (Entry& entry : each.entries) entry.credit -= sum / members;
  }
}

std::vector<double> RoundRobin::owed() const {
  std::vector<double> owed(weights_.size(), 0.0);
  for (const Class& each : classes_) {
    for (const Entry& entry : each.entries) {
      owed[entry.member] = static_cast<double>(entry.credit + each.weight * turn_) / static_cast<double>(total_);
    }
  }
  return owed;
}

void RoundRobin::set_owed(std::span<const double> owed) {
  check(owed.size() == weights_.size(), "one debt per member");
  std::vector<std::int64_t> credits(weights_.size(), 0);
  for (std::size_t i = 0; i < owed.size(); ++i) credits[i] = std::llround(owed[i] * static_cast<double>(total_));
  rebuild(credits);
}

std::string RoundRobin::validate() const {
  std::int64_t total = 0;
  for (const std::uint32_t weight : weights_) total += weight;
  if (total != total_) return "the total is the sum of the weights";
  std::size_t members = 0;
  for (const Class& each : classes_) {
    members += each.entries.size();
    for (std::size_t i = 0; i < each.entries.size(); ++i) {
      const Entry& entry = each.entries[(each.head + i) % each.entries.size()];
      if (weights_[entry.member] != each.weight) return "a member queues in the class of its weight";
      const Entry& richer = each.entries[(each.head + (i == 0 ? 0 : i - 1)) % each.entries.size()];
      if (richer.credit < entry.credit) return "the richest of a class stands first";
    }
  }
  if (members != weights_.size() - static_cast<std::size_t>(std::ranges::count(weights_, 0U))) {
    return "everyone with a weight queues once";
  }
  return {};
}

}  // namespace holdfast::balance
