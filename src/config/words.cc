#include "config/words.h"

namespace holdfast::config {

template <>
const Words<LogFormat>& words_of() {
  static const Words<LogFormat> words{{LogFormat::json, "json"}};
  return words;
}

template <>
const Words<ListenerProtocol>& words_of() {
  static const Words<ListenerProtocol> words{{{ListenerProtocol::http, "http"}, {ListenerProtocol::tcp, "tcp"}},
                                             {"postgresql"}};
  return words;
}

template <>
const Words<ServiceProtocol>& words_of() {
  static const Words<ServiceProtocol> words{{{ServiceProtocol::http1, "http1"}, {ServiceProtocol::tcp, "tcp"}},
                                            {"http2"}};
  return words;
}

template <>
const Words<Algorithm>& words_of() {  // `hash` is not a word: it needs a key, { hash: KEY }
  static const Words<Algorithm> words{{Algorithm::round_robin, "round_robin"},
                                      {Algorithm::weighted_round_robin, "weighted_round_robin"},
                                      {Algorithm::least_connections, "least_connections"},
                                      {Algorithm::two_choices, "two_choices"},
                                      {Algorithm::peak_ewma, "peak_ewma"},
                                      {Algorithm::random, "random"}};
  return words;
}

template <>
const Words<HashAlgorithm>& words_of() {
  static const Words<HashAlgorithm> words{{HashAlgorithm::maglev, "maglev"}, {HashAlgorithm::ring, "ring"}};
  return words;
}

template <>
const Words<AllDown>& words_of() {
  static const Words<AllDown> words{{AllDown::try_all, "try_all"}, {AllDown::fail, "fail"}};
  return words;
}

template <>
const Words<BreakerMode>& words_of() {
  static const Words<BreakerMode> words{
      {BreakerMode::enforce, "enforce"}, {BreakerMode::observe, "observe"}, {BreakerMode::off, "off"}};
  return words;
}

template <>
const Words<Concurrency>& words_of() {
  static const Words<Concurrency> words{{Concurrency::unlimited, "unlimited"}, {Concurrency::adaptive, "adaptive"}};
  return words;
}

std::string_view to_string(Algorithm algorithm) {
  return algorithm == Algorithm::hash ? "hash" : words_of<Algorithm>().name(algorithm);
}

}  // namespace holdfast::config
