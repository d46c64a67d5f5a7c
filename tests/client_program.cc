// A program of somebody else, built against the installed client library; a test tells it what to do, a line at a time
// (its arguments: where the admin API is, and for how many ms to wait for it):
//   call good|bad|gone COUNT   -> how many were allowed
//   show                       -> allowed, in touch, and the breaker's words
#include <chrono>
#include <holdfast/breakers.h>
#include <iostream>
#include <string>

int main(int argc, char** argv) {
  holdfast::BreakersOptions options;
  options.api = argc > 1 ? argv[1] : "";
  options.caller = "feed";
  holdfast::Breakers breakers(options);
  holdfast::Breaker& profile = breakers.to("profile");
  const std::chrono::milliseconds patience(argc > 2 ? std::stoi(argv[2]) : 0);
  std::cout << (breakers.wait_until_known(patience) ? "known" : "unknown") << std::endl;
  std::string word;
  while (std::cin >> word) {
    if (word == "show") {
      std::cout << profile.allowed() << ' ' << (breakers.in_touch() ? "in" : "out") << ' ' << profile.describe()
                << std::endl;
      continue;
    }
    std::string how;
    int count = 0;
    std::cin >> how >> count;
    int allowed = 0;
    for (int i = 0; i < count; ++i) {
      holdfast::BreakerCall call(profile);
      if (!call) continue;
      ++allowed;
      if (how == "good") call.succeeded();
      if (how == "bad") call.failed();
      if (how == "gone") call.unreachable();
    }
    std::cout << allowed << std::endl;
  }
}
