#include "store/etcd_store.h"

#include <algorithm>

#include "store/etcd_codec.h"

namespace holdfast::store {

Result<std::unique_ptr<Store>> open_etcd(io::Loop& loop, EtcdOptions options) {
  if (options.endpoints.empty() || options.endpoints.size() > kEtcdEndpointsMax) {
    return fail(Code::invalid, Side::local,
                "etcd needs 1 to " + std::to_string(kEtcdEndpointsMax) + " endpoints, and has " +
                    std::to_string(options.endpoints.size()));
  }
  if (Result<> valid = validate_prefix(options.prefix); !valid) return pass(valid, "the prefix of all keys");
  std::vector<client::Url> urls;
  for (const std::string& endpoint : options.endpoints) {
    Result<client::Url> url = client::parse_url(endpoint);
    if (!url) return pass(url, "an endpoint of etcd");
    urls.push_back(std::move(*url));
  }
  std::shared_ptr<client::TlsSettings> tls;
  if (std::ranges::any_of(urls, &client::Url::tls)) {
    Result<std::shared_ptr<client::TlsSettings>> loaded = client::TlsSettings::load(options.tls);
    if (!loaded) return pass(loaded, "TLS of etcd");
    tls = std::move(*loaded);
  }
  return std::make_unique<etcd::EtcdStore>(loop, options, urls, std::move(tls));
}

namespace etcd {
namespace {

Error in_the_store(Error error) {
  // A message that we cannot read is an engine that does not answer.
  if (error.code == Code::protocol || error.code == Code::internal) error.code = Code::closed;
  error.side = Side::store;
  return error;
}

template <class T>
std::unexpected<Error> refuse(Result<T>& result, std::string_view doing) {
  Error error = in_the_store(std::move(result.error()));
  error.what.append(": ").append(doing);
  return std::unexpected<Error>(std::move(error));
}

LeaseTerm term_of(const LeaseAnswer& answer, BootInstant since) {
  return {answer.id, std::chrono::seconds(answer.ttl_s), since};
}

}  // namespace

io::Task<Reply> EtcdStore::ask(std::string path, std::string body, Deadline deadline) {
  Call call;
  call.path = std::move(path);
  call.body = std::move(body);
  Reply reply = co_await caller_.call(std::move(call), deadline);
  co_return reply;
}

io::Task<Result<View>> EtcdStore::read(std::string prefix, Revision at, Deadline deadline) {
  if (Result<> valid = validate_prefix(prefix); !valid) co_return refuse(valid, "read");
  Call call;
  call.path = "/v3/kv/range";
  call.body = range_request(prefix_ + prefix, at);
  for (std::size_t tries = 1;; ++tries) {
    const Revision floor = world_.highest();
    Reply reply = co_await caller_.call(call, deadline);
    if (!reply.body) co_return refuse(reply.body, "read");
    Result<RangeAnswer> answer = read_range(*reply.body);
    if (!answer) co_return refuse(answer, "read");
    if (!world_.believe(answer->header, floor)) {
      call.avoid.push_back(reply.endpoint);
      if (tries < caller_.endpoints()) continue;
      world_.set_back(answer->header);
    }
    co_return view_of(std::move(*answer), at);
  }
}

Result<View> EtcdStore::view_of(RangeAnswer answer, Revision at) const {
  View view;
  view.world = world_.id();
  view.revision = at != 0 ? at : answer.header.revision;
  view.records = std::move(answer.records);
  for (Record& record : view.records) {
    if (!record.key.starts_with(prefix_)) {
      return fail(Code::closed, Side::store, "etcd answers with a key that was not asked for");
    }
    record.key.erase(0, prefix_.size());
  }
  std::ranges::sort(view.records, {}, &Record::key);
  return view;
}

io::Task<Result<Outcome>> EtcdStore::commit(Transaction transaction, Deadline deadline) {
  if (Result<> valid = validate(transaction); !valid) co_return refuse(valid, "commit");
  Call call;
  call.path = "/v3/kv/txn";
  call.body = transaction_request(transaction, prefix_);
  call.repeatable = transaction.writes.empty();
  for (std::size_t tries = 1;; ++tries) {
    const Revision floor = world_.highest();
    Reply reply = co_await caller_.call(call, deadline);
    if (!reply.body) {
      if (call.repeatable || reply.surely_not_done) co_return refuse(reply.body, "commit");
      co_return Outcome{Outcome::Kind::unknown, 0, {}, reply.body.error().what};
    }
    Result<TransactionAnswer> answer = read_transaction(*reply.body);
    if (!answer) {
      if (call.repeatable) co_return refuse(answer, "commit");
      co_return Outcome{Outcome::Kind::unknown, 0, {}, answer.error().what};
    }
    // What was written went through the others, whoever answered. Who only asked may have been told of the past.
    if (!world_.believe(answer->header, floor) && call.repeatable) {
      call.avoid.push_back(reply.endpoint);
      if (tries < caller_.endpoints()) continue;
      world_.set_back(answer->header);
    }
    co_return outcome_of(std::move(*answer));
  }
}

Result<Outcome> EtcdStore::outcome_of(TransactionAnswer answer) const {
  Outcome outcome;
  outcome.kind = answer.succeeded ? Outcome::Kind::committed : Outcome::Kind::refused;
  outcome.revision = answer.header.revision;
  outcome.found = std::move(answer.found);
  for (Record& record : outcome.found) {
    if (record.key.starts_with(prefix_)) record.key.erase(0, prefix_.size());
  }
  std::ranges::sort(outcome.found, {}, &Record::key);
  return outcome;
}

std::unique_ptr<Watch> EtcdStore::watch(std::string prefix, Revision from) {
  Follow follow(prefix_ + prefix, prefix_.size(), from, 0);
  auto core = std::make_shared<WatchCore>(loop_, std::move(follow), world_.id());
  if (caller_.closed()) {
    core->end(Code::stopped, "the store is closed");
  } else if (Result<> valid = validate_prefix(prefix); !valid) {
    core->end(Code::stale, valid.error().what);
  } else {
    std::erase_if(watches_, [](const std::weak_ptr<WatchCore>& each) { return each.expired(); });
    watches_.push_back(core);
    tasks_.add(read_streams(loop_, caller_, core));
    tasks_.add(probe_often(loop_, caller_, world_, core));
  }
  return std::make_unique<EtcdWatch>(std::move(core));
}

io::Task<Result<LeaseTerm>> EtcdStore::grant(Duration ttl, Deadline deadline) {
  if (ttl < kShortestLease || ttl > kLongestLease) {
    co_return fail(Code::invalid, Side::store, "a lease lasts 1 s to 1 h: grant");
  }
  const std::int64_t whole_seconds = std::chrono::ceil<std::chrono::seconds>(ttl).count();
  Reply reply = co_await ask("/v3/lease/grant", grant_request(whole_seconds), deadline);
  if (!reply.body) co_return refuse(reply.body, "grant");
  Result<LeaseAnswer> answer = read_lease(*reply.body);
  if (!answer) co_return refuse(answer, "grant");
  co_return term_of(*answer, reply.since);
}

io::Task<Result<LeaseTerm>> EtcdStore::keep_alive(LeaseId lease, Deadline deadline) {
  if (lease == 0) co_return fail(Code::missing, Side::store, "no lease: keep alive");
  Reply reply = co_await ask("/v3/lease/keepalive", keep_alive_request(lease), deadline);
  if (!reply.body) co_return refuse(reply.body, "keep alive");
  Result<LeaseAnswer> answer = read_keep_alive(*reply.body);
  if (!answer) co_return refuse(answer, "keep alive");
  if (answer->ttl_s <= 0) co_return fail(Code::missing, Side::store, "the lease has ended: keep alive");
  co_return term_of(*answer, reply.since);
}

io::Task<Result<>> EtcdStore::revoke(LeaseId lease, Deadline deadline) {
  Reply reply = co_await ask("/v3/lease/revoke", revoke_request(lease), deadline);
  if (reply.body || reply.body.error().code == Code::missing) co_return Result<>{};
  co_return refuse(reply.body, "revoke");
}

io::Task<Result<>> EtcdStore::compact(Revision revision, Deadline deadline) {
  Reply reply = co_await ask("/v3/kv/compaction", compact_request(revision), deadline);
  // Stale: it has been compacted up to there already.
  if (reply.body || reply.body.error().code == Code::stale) co_return Result<>{};
  co_return refuse(reply.body, "compact");
}

io::Task<Result<StoreStatus>> EtcdStore::status(Deadline deadline) {
  Reply reply = co_await ask("/v3/maintenance/status", "{}", deadline);
  if (!reply.body) co_return refuse(reply.body, "status");
  Result<StatusAnswer> answer = read_status(*reply.body);
  if (!answer) co_return refuse(answer, "status");
  Reply listed = co_await ask("/v3/cluster/member/list", "{}", deadline);
  if (!listed.body) co_return refuse(listed.body, "status");
  Result<std::vector<MemberAnswer>> members = read_members(*listed.body);
  if (!members) co_return refuse(members, "status");
  StoreStatus status;
  status.engine = "etcd " + answer->version;
  world_.believe(answer->header, 0);
  status.world = world_.id();
  status.revision = answer->header.revision;
  status.bytes = answer->bytes;
  for (const MemberAnswer& member : *members) {
    std::string line = (member.name.empty() ? "(not started)" : member.name) + " " + member.url;
    if (member.id == answer->leader) line += ", leads";
    if (member.learner) line += ", learns";
    if (member.id == answer->header.member) line += ", answered";
    status.members.push_back(std::move(line));
  }
  for (const std::string& error : answer->errors) status.members.push_back("error: " + error);
  co_return status;
}

io::Task<> EtcdStore::close() {
  caller_.close();
  for (const std::weak_ptr<WatchCore>& each : watches_) {
    if (const std::shared_ptr<WatchCore> core = each.lock()) core->end(Code::stopped, "the store is closed");
  }
  co_await tasks_.join(kNever);
  co_await caller_.idle();
}

}  // namespace etcd
}  // namespace holdfast::store
