// The words of an answer that stands in the file, at their limits.
#include <gtest/gtest.h>

#include "config/names.h"

namespace holdfast::config {
namespace {

TEST(Answer, a_body_in_the_file_has_a_limit) {
  EXPECT_TRUE(parse_answer_body(std::string(kAnswerBodyMax - 1, 'x')));
  EXPECT_TRUE(parse_answer_body(std::string(kAnswerBodyMax, 'x')));
  EXPECT_FALSE(parse_answer_body(std::string(kAnswerBodyMax + 1, 'x')));
}

TEST(Answer, a_header_has_limits) {
  EXPECT_TRUE(parse_header_name(std::string(kHeaderNameMax, 'x')));
  EXPECT_FALSE(parse_header_name(std::string(kHeaderNameMax + 1, 'x')));
  EXPECT_TRUE(parse_header_value(std::string(kHeaderValueMax, 'x')));
  EXPECT_FALSE(parse_header_value(std::string(kHeaderValueMax + 1, 'x')));
}

TEST(Answer, a_header_cannot_break_out_of_its_line) {
  EXPECT_FALSE(parse_header_value("a\r\nb: c"));
  EXPECT_FALSE(parse_header_name("a\r\nb"));
  EXPECT_FALSE(parse_header_name("a: b"));
  EXPECT_FALSE(parse_header_name(""));
}

TEST(Answer, what_frames_an_answer_is_not_for_the_file) {
  for (const char* name : {"Content-Length", "transfer-encoding", "CONNECTION", "Trailer", "X-Holdfast-Degraded"}) {
    EXPECT_FALSE(parse_header_name(name)) << name;
  }
}

}  // namespace
}  // namespace holdfast::config
