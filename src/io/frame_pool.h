// FramePool: memory for coroutine frames, kept per thread. A request makes and ends a few frames, and many requests are
// in flight: the general allocator's cache per thread holds seven of a size, and every further one costs a search.
// Here the frame returned last is the next one lent, whatever their number (docs/performance.md has the figures).
#pragma once

#include <cstddef>

namespace holdfast::io {

/// Memory for a frame of `bytes`. Throws std::bad_alloc as operator new does.
void* take_frame(std::size_t bytes);
/// Any thread may return a frame; it is kept there.
void return_frame(void* frame, std::size_t bytes) noexcept;

}  // namespace holdfast::io
