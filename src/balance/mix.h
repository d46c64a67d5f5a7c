// mix: two 64-bit numbers into one well-stirred one; what tables and rehashing draw their places from.
// Source: the finaliser of splitmix64 (Steele, Lea and Flood 2014).
#pragma once

#include <cstdint>

namespace holdfast::balance {

inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  std::uint64_t z = a + (b + 1) * 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

}  // namespace holdfast::balance
