// Guards: which breaker a request is under: that of its caller and its service. Built once per snapshot.
//
// Each service with a breaker has one for every service that says it calls it, `feed->profile`, and one for everybody
// else, `profile`. So there are as many as the file names, whatever callers say of themselves.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "breaker/circuit.h"
#include "config/model.h"
#include "guard/keeper.h"

namespace holdfast::proxy {

/// The breakers that a model asks for.
std::vector<guard::Wanted> breakers_of(const config::Model& model);

class Guards {
 public:
  using FindCircuit = std::function<std::shared_ptr<breaker::Circuit>(const std::string& name)>;

  Guards(const config::Model& model, const FindCircuit& find_circuit);

  /// `service`: its index in the model. Null: it has no breaker.
  breaker::Circuit* find(std::uint32_t service, std::string_view caller) const;

  const std::vector<std::shared_ptr<breaker::Circuit>>& circuits() const { return circuits_; }

 private:
  struct Guard {
    std::string caller;  ///< empty: everybody else
    breaker::Circuit* circuit;
  };

  std::vector<std::vector<Guard>> by_service_;  ///< as in the model; everybody else comes first
  std::vector<std::shared_ptr<breaker::Circuit>> circuits_;
};

}  // namespace holdfast::proxy
