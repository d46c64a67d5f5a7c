// Checks: what must hold between the values of a section, and across sections. Each says where, what, and how to
// mend it.
//
// check_section() is called when a section has been read, with its node for the marks; a section without rules of
// its own takes the empty one. What refers to other sections is only noted there (Reading::refer) and settled by
// check_model().
#pragma once

#include "config/model.h"
#include "config/reading.h"
#include "config/tree.h"

namespace holdfast::config {

template <class T>
void check_section(const T&, const Node&, Reading&, bool) {}

void check_section(const Model& model, const Node& node, Reading& reading, bool sound);
void check_section(const StoreAddress& store, const Node& node, Reading& reading, bool sound);
void check_section(const StoreTls& tls, const Node& node, Reading& reading, bool sound);
void check_section(const Admin& admin, const Node& node, Reading& reading, bool sound);
void check_section(const Route& route, const Node& node, Reading& reading, bool sound);
void check_section(const Listener& listener, const Node& node, Reading& reading, bool sound);
void check_section(const Proxy& proxy, const Node& node, Reading& reading, bool sound);
void check_section(const HealthCheck& check, const Node& node, Reading& reading, bool sound);
void check_section(const Breaker& breaker, const Node& node, Reading& reading, bool sound);
void check_section(const Fallback& fallback, const Node& node, Reading& reading, bool sound);
void check_section(const Service& service, const Node& node, Reading& reading, bool sound);

/// Every service that is named exists and speaks what it has to.
void check_model(const Model& model, Reading& reading);

}  // namespace holdfast::config
