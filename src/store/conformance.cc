#include "store/conformance.h"

#include "io/scope.h"
#include "io/stop.h"

namespace holdfast::store {

void Scene::expect(bool holds, const std::string& promise, std::source_location where) {
  if (!holds) broken_.push_back("line " + std::to_string(where.line()) + ": " + promise);
}

io::Task<Outcome> Scene::commit(Transaction transaction) {
  Result<Outcome> outcome = co_await one_->commit(std::move(transaction), soon());
  if (outcome) co_return std::move(*outcome);
  expect(false, "a commit failed: " + outcome.error().what);
  co_return Outcome{};
}

io::Task<View> Scene::read(std::string prefix, Revision at) {
  Result<View> view = co_await other_->read(std::move(prefix), at, soon());
  if (view) co_return std::move(*view);
  expect(false, "a read failed: " + view.error().what);
  co_return View{};
}

io::Task<LeaseTerm> Scene::grant(Duration ttl) {
  const Result<LeaseTerm> term = co_await one_->grant(ttl, soon());
  if (term) co_return *term;
  expect(false, "a grant failed: " + term.error().what);
  co_return LeaseTerm{};
}

io::Task<> Scene::pass(Duration duration) {
  io::Stop never;
  co_await io::sleep_until(loop_, loop_.now() + duration, never);
}

io::Task<> Scene::close_one() {
  if (!std::exchange(one_is_closed_, true)) co_await one_->close();
}

io::Task<Batch> Scene::next_events(Ref<Watch> watch) {
  const Deadline deadline = soon();
  while (true) {
    Result<Batch> batch = co_await watch->next(deadline);
    if (batch && batch->events.empty()) continue;
    if (batch) co_return std::move(*batch);
    expect(false, "a watch told nothing: " + batch.error().what);
    co_return Batch{};
  }
}

io::Task<Code> Scene::code_of_read(std::string prefix, Revision at) {
  const Result<View> view = co_await one_->read(std::move(prefix), at, soon());
  co_return view ? Code::internal : view.error().code;
}

io::Task<Code> Scene::code_of_commit(Transaction transaction) {
  const Result<Outcome> outcome = co_await one_->commit(std::move(transaction), soon());
  co_return outcome ? Code::internal : outcome.error().code;
}

bool run_on(io::Loop& loop, io::Task<> task) {
  io::Scope scope(loop);
  scope.add(std::move(task));
  while (scope.size() != 0) {
    if (!loop.run_once()) return false;
  }
  return true;
}

namespace {

io::Task<> play_and_close(Ref<Scene> scene, Promise promise) {
  co_await promise.play(scene);
  co_await scene->close_one();
  co_await scene->other().close();
}

}  // namespace

std::vector<std::string> play(Stage& stage, const Promise& promise) {
  Scene scene(stage);
  run_on(stage.loop(), play_and_close(scene, promise));
  return scene.broken();
}

}  // namespace holdfast::store
