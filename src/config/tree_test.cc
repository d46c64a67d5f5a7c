#include "config/tree.h"

#include "config/nearest.h"
#include "config/substitute.h"
#include "config/test_support.h"

namespace holdfast::config {
namespace {

std::optional<Node> parse(std::string_view text, Problems* problems = nullptr) {
  Findings findings;
  auto node = parse_tree(text, test_environment(), findings);
  const Problems met = findings.take();
  if (problems != nullptr) *problems = met;
  return met.empty() ? node : std::nullopt;
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + "x" + std::string(depth, ']'); }

TEST(Tree, knows_the_line_and_column_of_every_value) {
  const auto root = parse("a: 1\nb:\n  - c\n  - { d: e }\n");
  ASSERT_TRUE(root);
  const Node& item = root->find("b")->children[1];
  EXPECT_EQ(item.mark.line, 4U);
  EXPECT_EQ(item.mark.column, 5U);
  EXPECT_EQ(item.find("d")->mark.column, 10U);
}

TEST(Tree, nests_at_most_kMaxDepth) {
  EXPECT_TRUE(parse(nested(kMaxDepth - 1)));
  EXPECT_TRUE(parse(nested(kMaxDepth)));
  EXPECT_FALSE(parse(nested(kMaxDepth + 1)));
  EXPECT_FALSE(parse(nested(200'000)));
}

TEST(Tree, holds_at_most_kMaxNodes) {
  const auto list = [](std::size_t items) {
    std::string text = "[";
    for (std::size_t i = 0; i < items; ++i) text += "x,";
    return text + "]";
  };
  EXPECT_TRUE(parse(list(kMaxNodes - 2)));
  EXPECT_TRUE(parse(list(kMaxNodes - 1)));  // the list itself counts
  EXPECT_FALSE(parse(list(kMaxNodes)));
}

TEST(Tree, finds_a_key_that_stands_twice_in_short_and_long_maps) {
  for (const int size : {2, 32, 33, 1000}) {
    std::string text;
    for (int i = 0; i < size; ++i) text += "key" + std::to_string(i) + ": 1\n";
    EXPECT_TRUE(parse(text));
    Problems problems;
    parse(text + "key0: 2\n", &problems);
    ASSERT_EQ(problems.size(), 1U) << size;
    EXPECT_EQ(problems[0].line, static_cast<unsigned>(size) + 1);
  }
}

TEST(Tree, refuses_bytes_that_are_not_utf8) { EXPECT_FALSE(parse("a: \xff\n")); }

TEST(Tree, replaces_variables_in_values_once_and_not_in_keys) {
  const auto root = parse("${PORT}: \"${PORT}:$${PORT}:$PORT:${PORT}\"\n");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->children[0].text, "${PORT}");
  EXPECT_EQ(root->children[1].text, "8080:${PORT}:$PORT:8080");
  const Environment echo = [](std::string_view) { return std::optional<std::string>("${PORT}"); };
  EXPECT_EQ(substitute("${A}", echo), "${PORT}");
}

TEST(Tree, an_escaped_text_comes_back_from_substitution) {
  for (const char* text : {"", "$", "${", "$${", "a${PORT}b", "$$", "${PORT}${", "$$${x}"}) {
    EXPECT_EQ(substitute(escape_substitution(text), test_environment()), text) << text;
  }
}

TEST(Tree, what_is_printed_reads_back) {
  Node root = Node::map();
  for (const char* text :
       {"plain",     "",        "~",          "null",        "- x",       "a: b",        "a #b",    "*star",
        "[::]:80",   "{x",      "\"quoted\"", "back\\slash", "tab\there", "line\nbreak", "${PORT}", "$${x}",
        "trailing:", " space ", "50%",        "%50",         "@x",        "über"}) {
    root.children.push_back(Node::scalar("k" + std::to_string(root.children.size())));
    root.children.push_back(Node::scalar(text));
  }
  const auto again = parse(print_tree(root));
  ASSERT_TRUE(again) << print_tree(root);
  for (std::size_t i = 1; i < root.children.size(); i += 2) {
    EXPECT_EQ(again->children[i].text, root.children[i].text);
    EXPECT_FALSE(again->children[i].is_null());
  }
}

TEST(Nearest, knows_a_slip_from_another_word) {
  constexpr std::array<std::string_view, 4> kKnown{"balance", "bind", "retries", "trusted_proxies"};
  EXPECT_EQ(nearest("blance", kKnown), "balance");
  EXPECT_EQ(nearest("balacne", kKnown), "balance");
  EXPECT_EQ(nearest("Retries", kKnown), "retries");
  EXPECT_EQ(nearest("trusted-proxys", kKnown), "trusted_proxies");
  EXPECT_EQ(nearest("colour", kKnown), std::nullopt);
  EXPECT_EQ(nearest(std::string(100'000, 'x'), kKnown), std::nullopt);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("ab", "ba"), 1U);
}

}  // namespace
}  // namespace holdfast::config
