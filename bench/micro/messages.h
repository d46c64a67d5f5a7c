// Messages like those of the side-by-side runs: a browser's request of half a kilobyte, an origin's answer.
#pragma once

#include <string_view>

namespace holdfast::bench {

inline constexpr std::string_view kRequest =
    "GET /articles/2025/03/title.html?ref=home HTTP/1.1\r\nHost: bench.example.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8\r\n"
    "Accept-Language: en-GB,en;q=0.7,de;q=0.3\r\nAccept-Encoding: gzip, deflate, br\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=1\r\n\r\n";

inline constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\nDate: Mon, 03 Mar 2025 10:00:00 GMT\r\nServer: origin\r\n"
    "Content-Type: text/html; charset=utf-8\r\nContent-Length: 128\r\nCache-Control: private, max-age=0\r\n"
    "ETag: \"5e8c-1f2a3b4c5d6e\"\r\nVary: Accept-Encoding\r\n\r\n";

}  // namespace holdfast::bench
