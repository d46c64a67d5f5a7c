// The table of names, a perfect hash over length, middle and last two letters (checked at compile time), and a
// comparison that reads eight bytes at a time and ignores case only where the known byte is a letter ('\r' is not '-').
#include "http/name.h"

#include <array>
#include <cstring>

namespace holdfast::http {
namespace {

constexpr std::array<std::string_view, kNameCount> kTexts = {
    "",
    "accept",
    "accept-encoding",
    "accept-language",
    "age",
    "allow",
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "date",
    "etag",
    "expect",
    "expires",
    "forwarded",
    "host",
    "http2-settings",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "last-modified",
    "location",
    "max-forwards",
    "origin",
    "pragma",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "referer",
    "retry-after",
    "server",
    "set-cookie",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
    "via",
    "www-authenticate",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-holdfast-caller",
    "x-holdfast-timeout-ms",
    "x-real-ip",
    "x-request-id",
};

constexpr std::size_t kShortest = 2;
constexpr std::size_t kLongest = 21;
constexpr std::size_t kSlots = 512;

constexpr std::size_t slot_of(const char* text, std::size_t size, std::uint32_t seed) {
  const auto letter = [text](std::size_t at) { return static_cast<std::uint32_t>((text[at] | 0x20) & 0x7f); };
  const std::uint32_t key =
      static_cast<std::uint32_t>(size) | (letter(size / 2) << 5) | (letter(size - 2) << 12) | (letter(size - 1) << 19);
  return (key * seed) >> 23;
}

constexpr bool is_perfect(std::uint32_t seed) {
  std::array<bool, kSlots> taken{};
  for (std::size_t name = 1; name < kNameCount; ++name) {
    const std::size_t slot = slot_of(kTexts[name].data(), kTexts[name].size(), seed);
    if (taken[slot]) return false;
    taken[slot] = true;
  }
  return true;
}

// Found by trying; whoever adds a name that collides tries other odd numbers.
constexpr std::uint32_t kSeed = 0x8d0038ed;
static_assert(is_perfect(kSeed), "two names share a slot");

struct Known {
  std::array<char, kLongest + 1> text{};
  std::uint8_t size = 0;
  Name name = Name::other;
};

constexpr std::array<Known, kSlots> kKnown = [] {
  std::array<Known, kSlots> table{};
  for (std::size_t name = 1; name < kNameCount; ++name) {
    const std::string_view text = kTexts[name];
    Known& known = table[slot_of(text.data(), text.size(), kSeed)];
    for (std::size_t i = 0; i < text.size(); ++i) known.text[i] = text[i];
    known.size = static_cast<std::uint8_t>(text.size());
    known.name = static_cast<Name>(name);
  }
  return table;
}();

template <class Word>
Word load(const char* from) {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

/// The bits in which `text` differs from the lower-case `known`, case apart: letters alone have bit 6 set, and only of
/// those is bit 5 ignored.
template <class Word>
Word difference(const char* text, const char* known) {
  const Word lower = load<Word>(known);
  const auto letters = static_cast<Word>((lower >> 1) & static_cast<Word>(0x2020202020202020U));
  return static_cast<Word>((load<Word>(text) ^ lower) & static_cast<Word>(~letters));
}

/// Whether two texts of one size are equal; words may overlap so that nothing beyond the texts is read.
bool is_same(const char* text, const char* known, std::size_t size) {
  if (size >= 8) {
    std::uint64_t differs = difference<std::uint64_t>(text, known);
    if (size > 16) differs |= difference<std::uint64_t>(text + 8, known + 8);
    return (differs | difference<std::uint64_t>(text + size - 8, known + size - 8)) == 0;
  }
  if (size >= 4) {
    return (difference<std::uint32_t>(text, known) | difference<std::uint32_t>(text + size - 4, known + size - 4)) == 0;
  }
  return (difference<std::uint16_t>(text, known) | difference<std::uint16_t>(text + size - 2, known + size - 2)) == 0;
}

}  // namespace

Name name_of(std::string_view text) {
  if (text.size() < kShortest || text.size() > kLongest) return Name::other;
  const Known& known = kKnown[slot_of(text.data(), text.size(), kSeed)];
  if (known.size != text.size() || !is_same(text.data(), known.text.data(), text.size())) return Name::other;
  return known.name;
}

std::string_view to_string(Name name) { return kTexts[static_cast<std::size_t>(name)]; }

}  // namespace holdfast::http
