#include "http/head.h"

#include <utility>

namespace holdfast::http {
namespace {

/// Everything as new but the memory of the field list.
template <class Head>
void clear_head(Head& head) {
  FieldList kept = std::move(head.fields);
  kept.clear();
  head = Head{};
  head.fields = std::move(kept);
}

}  // namespace

void RequestHead::clear() { clear_head(*this); }
void ResponseHead::clear() { clear_head(*this); }

}  // namespace holdfast::http
