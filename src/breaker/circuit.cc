#include "breaker/circuit.h"

#include <utility>

namespace holdfast::breaker {

Circuit::Circuit(std::string name, unsigned loops) : name_(std::move(name)) {
  meters_.reserve(loops);
  for (unsigned i = 0; i < loops; ++i) meters_.push_back(std::make_unique<Meter>(gate_));
}

void Circuit::set_slow_call(Duration slow_call) {
  for (const std::unique_ptr<Meter>& meter : meters_) meter->set_slow_call(slow_call);
}

Tally Circuit::tally() const {
  Tally sum;
  for (const std::unique_ptr<Meter>& meter : meters_) sum += meter->tally();
  return sum;
}

std::uint32_t Circuit::in_flight() const {
  std::uint32_t sum = 0;
  for (const std::unique_ptr<Meter>& meter : meters_) sum += meter->in_flight();
  return sum;
}

std::string circuit_name(std::string_view caller, std::string_view callee) {
  std::string name(caller);
  if (!caller.empty()) name += "->";
  name += callee;
  return name;
}

}  // namespace holdfast::breaker
