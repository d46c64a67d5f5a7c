// Endpoints that the file does not list by address: those found in the store, and those given by a host name. Which
// names a model needs, and the model with addresses in their place.
//
// A name stands for all its addresses: each becomes an endpoint with the weight, zone and role of the line that names
// it. Asking is somebody else's (io/resolver.h, upstream/name_keeper.h).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/model.h"

namespace holdfast::config {

/// Addresses (ip4 or ip6, the port means nothing) by host name.
using AddressesByName = std::map<std::string, std::vector<Address>, std::less<>>;

/// Endpoints by the name of the service that they were found for, in an order that does not depend on when they came.
using FoundEndpoints = std::map<std::string, std::vector<Endpoint>, std::less<>>;

/// Services whose endpoints are found get them; one that has none found is left without any.
Model with_found(Model model, const FoundEndpoints& found);

/// Sorted, each once.
std::vector<std::string> host_names(const Model& model);

/// Every endpoint of a name becomes one of each of its addresses; a name without any leaves no endpoint. An address
/// that a service has already is not added again: the first line counts.
Model with_addresses(Model model, const AddressesByName& known);

}  // namespace holdfast::config
