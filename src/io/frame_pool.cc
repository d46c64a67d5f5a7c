#include "io/frame_pool.h"

#include <array>
#include <cstdint>
#include <memory>

namespace holdfast::io {
namespace {

constexpr std::size_t kStep = 64;         // sizes are rounded up to a multiple of it
constexpr std::size_t kLargest = 4096;    // a larger frame is a stranger, and goes to the allocator
constexpr std::uint32_t kKeptMax = 4096;  // of each size
constexpr std::size_t kSizes = kLargest / kStep;

struct Free {
  Free* next;
};

// The free frames of a thread, by size.
struct Kept {
  ~Kept() {
    for (Free* first : lists) {
      while (first != nullptr) {
        Free* const next = first->next;
        ::operator delete(first);
        first = next;
      }
    }
  }
  std::array<Free*, kSizes> lists{};
  std::array<std::uint32_t, kSizes> counts{};
};

thread_local Kept kept;

// With AddressSanitizer a frame that has ended must stay ended, or its use would go unseen.
#ifdef __SANITIZE_ADDRESS__
constexpr bool kKeep = false;
#else
constexpr bool kKeep = true;
#endif

}  // namespace

void* take_frame(std::size_t bytes) {
  const std::size_t size = (bytes + kStep - 1) / kStep;
  if (!kKeep || size > kSizes) return ::operator new(bytes);
  Free*& first = kept.lists[size - 1];
  if (first == nullptr) return ::operator new(size * kStep);
  --kept.counts[size - 1];
  Free* const frame = first;
  first = frame->next;
  return frame;
}

void return_frame(void* frame, std::size_t bytes) noexcept {
  const std::size_t size = (bytes + kStep - 1) / kStep;
  if (!kKeep || size > kSizes || kept.counts[size - 1] == kKeptMax) {
    ::operator delete(frame);
    return;
  }
  ++kept.counts[size - 1];
  Free*& first = kept.lists[size - 1];
  first = std::construct_at(static_cast<Free*>(frame), Free{first});
}

}  // namespace holdfast::io
