#include "store/open.h"

namespace holdfast::store {

Result<std::unique_ptr<Store>> open(io::Loop&, const config::StoreAddress&, const std::string&) {
  return fail(Code::internal, Side::local, "no engine yet");
}

}  // namespace holdfast::store
