// explain(), schema() and reference_markdown() are made from one set of tables; here we see that they say the same.
#include <nlohmann/json.hpp>
#include <set>

#include "config/test_support.h"
#include "config/tree.h"

namespace holdfast::config {
namespace {

using Json = nlohmann::json;

/// Every property name of a schema, at any depth.
void collect_keys(const Json& schema, std::set<std::string>& keys) {
  if (schema.is_array()) {
    for (const Json& item : schema) collect_keys(item, keys);
  }
  if (!schema.is_object()) return;
  for (const auto& [name, value] : schema.items()) {
    if (name == "properties") {
      for (const auto& [key, section] : value.items()) keys.insert(key);
      for (const auto& [key, section] : value.items()) collect_keys(section, keys);
    } else {
      collect_keys(value, keys);
    }
  }
}

TEST(Schema, is_json_of_the_2020_12_draft_with_a_description_for_every_key) {
  const Json json = Json::parse(schema());
  EXPECT_EQ(json["$schema"], "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(json["additionalProperties"], false);
  EXPECT_EQ(json["required"], Json::array({"listeners"}));
  const Json& service = json["properties"]["services"]["additionalProperties"];
  EXPECT_EQ(service["properties"]["slow_start"]["default"], "0s");
  for (const auto& [key, value] : service["properties"].items()) EXPECT_TRUE(value.contains("description")) << key;
}

TEST(Reference, shows_every_key_of_the_schema) {
  std::set<std::string> keys;
  collect_keys(Json::parse(schema()), keys);
  EXPECT_GT(keys.size(), 60U);
  const std::string reference = reference_markdown();
  for (const std::string& key : keys) EXPECT_NE(reference.find("| `" + key + "` |"), std::string::npos) << key;
}

// The parser names its keys itself when it meets one that it does not know.
TEST(Reference, shows_every_key_that_the_parser_names) {
  const std::string answer = problems_of(
      "zzzzzzzz: 1\nproxy: { zzzzzzzz: 1, access_log: { zzzzzzzz: 1 } }\nadmin: { zzzzzzzz: 1 }\nlisteners:\n  web:\n  "
      "  zzzzzzzz: 1\n"
      "    limits: { zzzzzzzz: 1 }\n    routes: [{ zzzzzzzz: 1, redirect: { zzzzzzzz: 1 } }]\nservices:\n  feed:\n    "
      "zzzzzzzz: 1\n"
      "    balance: { zzzzzzzz: 1 }\n    endpoints: [{ zzzzzzzz: 1 }]\n    health_check: { zzzzzzzz: 1 }\n    "
      "outlier_ejection: { zzzzzzzz: 1 }\n"
      "    timeouts: { zzzzzzzz: 1 }\n    retries: { zzzzzzzz: 1 }\n    limits: { zzzzzzzz: 1 }\n  site:\n    balance: "
      "{ sticky: cookie:A, zzzzzzzz: 1 }\n");
  const std::string reference = reference_markdown();
  std::size_t sections = 0;
  for (std::size_t at = answer.find("; expected "); at != std::string::npos; at = answer.find("; expected ", at + 1)) {
    const std::size_t line = answer.rfind('\n', at) + 1;
    if (answer.find("unknown key", line) > at) continue;
    ++sections;
    std::string keys = answer.substr(at + 11, answer.find('\n', at) - at - 11);
    if (const std::size_t last = keys.find(" or "); last != std::string::npos) keys.replace(last, 4, ", ");
    for (std::size_t start = 0; start < keys.size();) {
      const std::size_t end = std::min(keys.find(", ", start), keys.size());
      const std::string key = keys.substr(start, end - start);
      EXPECT_NE(reference.find("| `" + key + "` |"), std::string::npos) << key;
      start = end + 2;
    }
  }
  EXPECT_EQ(sections, 17U) << answer;
}

TEST(Reference, names_what_this_version_cannot_do) {
  const std::string reference = reference_markdown();
  for (const char* key :
       {"nodes", "virtual_ips", "dns", "databases", "tls", "accept_proxy_protocol", "database", "run"}) {
    EXPECT_NE(reference.find("| `" + std::string(key) + "` | — | — |"), std::string::npos) << key;
  }
}

TEST(Explain, shows_every_key_of_the_schema) {
  const auto model = load(read_text(testdata("example.yaml")), test_environment());
  ASSERT_TRUE(model);
  const std::string text = explain(*model);
  std::set<std::string> keys;
  collect_keys(Json::parse(schema()), keys);
  for (const std::string& key : keys) EXPECT_NE(text.find(key + ": "), text.find(key + ":\n")) << key;
}

TEST(Explain, does_not_say_shared_where_there_is_no_cluster) {
  for (const std::string at_top : {"", "cluster: {}"}) {
    for (const std::string breaker : {"{}", "{ shared: false }"}) {
      const auto model = load(file_with("", "breaker: " + breaker, at_top), test_environment());
      ASSERT_TRUE(model);
      const std::string text = explain(*model);
      EXPECT_EQ(text.find("shared: true") != std::string::npos, !at_top.empty() && breaker == "{}") << text;
      EXPECT_EQ(text.find("shared: false") != std::string::npos, breaker != "{}") << text;
      EXPECT_EQ(load(text, test_environment()), model);
    }
  }
}

TEST(Explain, escapes_what_would_be_replaced_from_the_environment) {
  const auto model =
      load(file_with("", "", "proxy: { access_log: { path: \"/var/log/$${PORT}\" } }"), test_environment());
  ASSERT_TRUE(model);
  EXPECT_EQ(model->proxy.access_log.path, "/var/log/${PORT}");
  EXPECT_EQ(load(explain(*model), test_environment()), model);
}

}  // namespace
}  // namespace holdfast::config
