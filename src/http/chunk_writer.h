// Chunked transfer coding, RFC 9112 7.1: the writer. It frames data where it lies, so one send carries it all.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace holdfast::http {

/// Room needed before the data: 16 hex digits and CRLF.
inline constexpr std::size_t kChunkHeadroom = 18;
/// Room needed behind the data: CRLF, then "0", CRLF, CRLF. Trailers come on top.
inline constexpr std::size_t kChunkTailroom = 7;

/// Writes the chunk's size line directly before `data` and its CRLF behind it; with `last` also the last chunk and
/// `trailers` ("Name: value\r\n" lines). Returns what is to be sent. Empty data makes no chunk of its own.
/// Requires: kChunkHeadroom writable bytes before `data`, kChunkTailroom + trailers.size() behind it.
std::span<char> frame_chunk(std::span<char> data, bool last, std::string_view trailers = {});

}  // namespace holdfast::http
