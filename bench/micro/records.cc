// What is written down of each request: a latency, and a record in the ring of the access log.
#include <benchmark/benchmark.h>
#include <string>

#include "base/histogram.h"
#include "proxy/access_log.h"

namespace holdfast::bench {
namespace {

void record_latency(benchmark::State& state) {
  Histogram histogram;
  Duration latency = 100us;
  for (auto _ : state) {
    histogram.record(latency);
    latency = latency > 1s ? 100us : latency + 977ns;
  }
}
BENCHMARK(record_latency)->Name("HistogramRecord");

proxy::AccessRecord example() {
  proxy::AccessRecord record;
  record.wall_us = 1'700'000'000'123'456;
  record.duration_us = 812;
  record.response_bytes = 128;
  record.status = 200;
  record.attempts = 1;
  record.client = "203.0.113.7";
  record.method = "GET";
  record.host = "bench.example.com";
  record.path = "/articles/2025/03/title.html";
  record.listener = "bench";
  record.service = "origin";
  record.endpoint = "127.0.0.1:9000";
  record.request_id = "7f3a5e8c1f2a3b4c-00000000001f";
  return record;
}

// The ring is drained when it is half full, outside the measurement: what the loop pays is the push.
void push_record(benchmark::State& state) {
  const proxy::AccessRecord record = example();
  proxy::AccessRing ring;
  proxy::AccessLines lines;
  int pushed = 0;
  for (auto _ : state) {
    ring.push(record);
    if (++pushed < 4096) continue;
    state.PauseTiming();
    while (ring.drain(lines) != 0) lines.clear();
    pushed = 0;
    state.ResumeTiming();
  }
  state.counters["dropped"] = static_cast<double>(ring.dropped.get());
}
BENCHMARK(push_record)->Name("AccessRecordPush");

// What the thread of the log pays for each record.
void drain_record(benchmark::State& state) {
  const proxy::AccessRecord record = example();
  proxy::AccessRing ring;
  proxy::AccessLines lines;
  for (auto _ : state) {
    ring.push(record);
    ring.drain(lines);
    lines.clear();
  }
}
BENCHMARK(drain_record)->Name("AccessRecordPushAndDrain");

// A round of the log at work: the items are records, pushed and made into lines.
void drain_round(benchmark::State& state) {
  constexpr int kRecords = 500;
  const proxy::AccessRecord record = example();
  proxy::AccessRing ring;
  proxy::AccessLines lines;
  for (auto _ : state) {
    for (int i = 0; i < kRecords; ++i) ring.push(record);
    ring.drain(lines);
    benchmark::DoNotOptimize(lines.text().data());
    lines.clear();
  }
  state.SetItemsProcessed(state.iterations() * kRecords);
}
BENCHMARK(drain_round)->Name("AccessRecordsOfOneRound");

}  // namespace
}  // namespace holdfast::bench
