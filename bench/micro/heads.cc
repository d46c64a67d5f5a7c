// Heads in and out: what each request and each answer passes through.
#include <array>
#include <benchmark/benchmark.h>

#include "http/head_end.h"
#include "http/parse.h"
#include "http/write_request.h"
#include "http/write_response.h"
#include "micro/messages.h"

namespace holdfast::bench {
namespace {

void parse_request(benchmark::State& state) {
  const http::Limits limits;
  http::RequestHead head;
  for (auto _ : state) {
    benchmark::DoNotOptimize(http::parse_request_head(kRequest, limits, head));
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kRequest.size()));
}
BENCHMARK(parse_request)->Name("ParseRequest");

void parse_response(benchmark::State& state) {
  const http::Limits limits;
  http::ResponseHead head;
  for (auto _ : state) {
    benchmark::DoNotOptimize(http::parse_response_head(kAnswer, limits, http::Method::get, head));
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kAnswer.size()));
}
BENCHMARK(parse_response)->Name("ParseResponse");

void write_request(benchmark::State& state) {
  http::RequestHead head;
  http::parse_request_head(kRequest, http::Limits{}, head);
  http::RequestRewrite rewrite;
  rewrite.client = "203.0.113.7";
  rewrite.proto = "http";
  rewrite.request_id = "7f3a5e8c1f2a3b4c-00000000001f";
  std::array<char, 4096> out;
  for (auto _ : state) {
    benchmark::DoNotOptimize(http::write_request_head(head, rewrite, out));
    benchmark::ClobberMemory();
  }
}
BENCHMARK(write_request)->Name("WriteRequest");

void write_response(benchmark::State& state) {
  http::ResponseHead head;
  http::parse_response_head(kAnswer, http::Limits{}, http::Method::get, head);
  http::ResponseRewrite rewrite;
  rewrite.framing = http::Framing::length;
  rewrite.content_length = 128;
  std::array<char, 4096> out;
  for (auto _ : state) {
    benchmark::DoNotOptimize(http::write_response_head(head, rewrite, out));
    benchmark::ClobberMemory();
  }
}
BENCHMARK(write_response)->Name("WriteResponse");

void find_end_of_head(benchmark::State& state) {
  for (auto _ : state) {
    http::HeadEndScanner scanner;
    benchmark::DoNotOptimize(scanner.should_parse(kRequest));
  }
}
BENCHMARK(find_end_of_head)->Name("FindEndOfHead");

}  // namespace
}  // namespace holdfast::bench
