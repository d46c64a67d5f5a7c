#include "cli/store_command.h"

#include <cstdio>
#include <iostream>
#include <iterator>
#include <memory>

#include "cli/file.h"
#include "cli/store_output.h"
#include "config/names.h"
#include "io/scope.h"
#include "store/open.h"
#include "upstream/endpoint_record.h"

namespace holdfast::cli {
namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;

/// Where the store is, and the name of its cluster.
struct Place {
  config::StoreAddress store;
  std::string cluster;
};

void complain(const std::string& what) { std::fprintf(stderr, "holdfast: %s\n", what.c_str()); }

void print_line(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

std::optional<Place> find_place(const StoreOptions& options) {
  Place place{{}, options.cluster.empty() ? config::Cluster{}.name : options.cluster};
  if (!options.store.empty()) {
    auto address = config::parse_store_address(options.store);
    if (!address) {
      complain("--store: " + address.error());
      return std::nullopt;
    }
    place.store = std::move(*address);
    return place;
  }
  const std::optional<config::Model> model = read_model(options.file);
  if (!model) {
    complain("say where the store is: --store sqlite:/path, or --file with the file that names it");
    return std::nullopt;
  }
  if (!model->cluster) {
    complain(options.file + " names no store; add cluster: { store: sqlite:/path }, or say --store");
    return std::nullopt;
  }
  place.store = model->cluster->store;
  if (options.cluster.empty()) place.cluster = model->cluster->name;
  return place;
}

// One run of the command: the store, and what was asked of it.
struct Session : Pinned {
  Session(io::Loop& loop_, store::Store& store_, const StoreOptions& options_)
      : loop(loop_), store(store_), options(options_) {}

  Deadline deadline() const { return loop.now() + options.timeout; }

  io::Loop& loop;
  store::Store& store;
  const StoreOptions& options;
  int exit_status = kDone;
};

int fail_with(const Error& error) {
  complain(error.what);
  return kFailed;
}

int report(const StoreOptions& options, const store::Outcome& outcome) {
  switch (outcome.kind) {
    case store::Outcome::Kind::committed:
      print_line(options.json ? "{\"revision\":" + std::to_string(outcome.revision) + "}"
                              : "revision " + std::to_string(outcome.revision));
      return kDone;
    case store::Outcome::Kind::refused:
      complain(outcome.found.empty() ? "refused: " + options.key + " is not there"
                                     : "refused: " + options.key + " is there, modified at revision " +
                                           std::to_string(outcome.found.front().modified));
      return kFailed;
    case store::Outcome::Kind::unknown:
      complain("it is not known whether this was done: " + outcome.why + "; look with: holdfast store get " +
               options.key);
      return kFailed;
  }
  return kFailed;
}

io::Task<int> get(Ref<Session> session) {
  const StoreOptions& options = session->options;
  Result<store::View> view =
      co_await session->store.read(options.key, options.revision.value_or(0), session->deadline());
  if (!view) co_return fail_with(view.error());
  int found = 0;
  for (const store::Record& record : view->records) {
    if (!options.prefix && record.key != options.key) continue;
    ++found;
    if (options.json) {
      print_line(record_json(record));
    } else {
      print_line(options.prefix ? record.key + ' ' + record.value : record.value);
    }
  }
  if (found != 0 || options.prefix) co_return kDone;
  complain(options.key + " is not there");
  co_return kFailed;
}

io::Task<int> put(Ref<Session> session) {
  const StoreOptions& options = session->options;
  store::LeaseId lease = 0;
  if (options.lasting) {
    const Result<store::LeaseTerm> term = co_await session->store.grant(*options.lasting, session->deadline());
    if (!term) co_return fail_with(term.error());
    lease = term->id;
  }
  store::Transaction transaction;
  if (options.if_absent) transaction.compares.push_back(store::Compare::absent(options.key));
  if (options.if_at) transaction.compares.push_back(store::Compare::modified(options.key, *options.if_at));
  transaction.writes.push_back(store::Write::put(options.key, options.value, lease));
  const Result<store::Outcome> outcome = co_await session->store.commit(std::move(transaction), session->deadline());
  if (!outcome) co_return fail_with(outcome.error());
  co_return report(options, *outcome);
}

io::Task<int> erase(Ref<Session> session) {
  const StoreOptions& options = session->options;
  store::Transaction transaction;
  if (options.prefix) {
    transaction.writes.push_back(store::Write::erase_prefix(options.key));
  } else {
    if (options.if_at) {
      transaction.compares.push_back(store::Compare::modified(options.key, *options.if_at));
    } else {
      transaction.compares.push_back(store::Compare::exists(options.key));
    }
    transaction.writes.push_back(store::Write::erase(options.key));
  }
  const Result<store::Outcome> outcome = co_await session->store.commit(std::move(transaction), session->deadline());
  if (!outcome) co_return fail_with(outcome.error());
  co_return report(options, *outcome);
}

io::Task<int> watch(Ref<Session> session) {
  const StoreOptions& options = session->options;
  store::Revision from = options.revision.value_or(0);
  if (from == 0) {
    const Result<store::View> view = co_await session->store.read(options.key, session->deadline());
    if (!view) co_return fail_with(view.error());
    from = view->revision + 1;
  }
  const std::unique_ptr<store::Watch> events = session->store.watch(options.key, from);
  while (true) {
    const Result<store::Batch> batch = co_await events->next(kNever);
    if (!batch) co_return fail_with(batch.error());
    for (const store::Event& event : batch->events) print_line(options.json ? event_json(event) : event_line(event));
  }
}

io::Task<int> dump(Ref<Session> session) {
  const Result<store::View> view = co_await session->store.read(session->options.key, session->deadline());
  if (!view) co_return fail_with(view.error());
  for (const store::Record& record : view->records) print_line(record_json(record));
  co_return kDone;
}

io::Task<int> compact(Ref<Session> session) {
  std::optional<store::Revision> upto = session->options.revision;
  if (!upto) {
    const Result<store::StoreStatus> status = co_await session->store.status(session->deadline());
    if (!status) co_return fail_with(status.error());
    upto = status->revision;
  }
  const Result<> done = co_await session->store.compact(*upto, session->deadline());
  if (!done) co_return fail_with(done.error());
  print_line(session->options.json ? "{\"compacted\":" + std::to_string(*upto) + "}"
                                   : "compacted up to revision " + std::to_string(*upto));
  co_return kDone;
}

// That it answers, how it is by its own words, and that what others wrote can be understood.
io::Task<int> check(Ref<Session> session) {
  const Result<store::StoreStatus> status = co_await session->store.status(session->deadline());
  if (!status) co_return fail_with(status.error());
  const Result<store::View> view = co_await session->store.read("", session->deadline());
  if (!view) co_return fail_with(view.error());
  const std::size_t records = view->records.size();
  if (session->options.json) {
    print_line(status_json(*status, records));
  } else {
    std::fputs(status_table(*status, records).c_str(), stdout);
  }
  std::map<std::string, store::Record, std::less<>> endpoints;
  for (const store::Record& record : view->records) {
    if (record.key.starts_with(upstream::kEndpointPrefix)) endpoints.emplace(record.key, record);
  }
  std::map<std::string, std::string> wrong;
  upstream::find_endpoints(endpoints, wrong);
  for (const auto& [key, why] : wrong) complain("the record " + key + " cannot be used: " + why);
  co_return wrong.empty() ? kDone : kFailed;
}

io::Task<int> act(Ref<Session> session) {
  switch (session->options.action) {
    case StoreOptions::Action::get: return get(session);
    case StoreOptions::Action::put: return put(session);
    case StoreOptions::Action::erase: return erase(session);
    case StoreOptions::Action::watch: return watch(session);
    case StoreOptions::Action::dump: return dump(session);
    case StoreOptions::Action::compact: return compact(session);
    case StoreOptions::Action::check: break;
  }
  return check(session);
}

io::Task<> live(Ref<Session> session) {
  session->exit_status = co_await act(session);
  co_await session->store.close();
  session->loop.stop();
}

}  // namespace

int run_store(StoreOptions options) {
  const std::optional<Place> place = find_place(options);
  if (!place) return kFailed;
  if (options.action == StoreOptions::Action::put && options.value == "-") {
    options.value.assign(std::istreambuf_iterator<char>(std::cin), {});
  }
  io::Loop loop;
  const Result<std::unique_ptr<store::Store>> store = store::open(loop, place->store, place->cluster, options.timeout);
  if (!store) return fail_with(store.error());
  Session session(loop, **store, options);
  io::Scope tasks(loop);
  tasks.add(live(session));
  loop.run();
  while (tasks.size() != 0) loop.run_once();
  return session.exit_status;
}

}  // namespace holdfast::cli
