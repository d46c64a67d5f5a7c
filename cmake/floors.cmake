# A folder of src/ is a floor: one idea, one library, one namespace. It may include only floors below it.
#
# The list is the order, lowest first. `holdfast_floor` refuses a dependency that does not lie below; `tools/check tree`
# reads this same list and refuses an #include that goes to a floor not named in DEPENDS.
set(HOLDFAST_FLOORS base http balance health breaker config io client store journal guard upstream proxy admin cli)

# Floors that wait for nothing, read no clock, draw no chance and open no file.
set(HOLDFAST_PURE_FLOORS base http balance health breaker config)

# holdfast_floor(NAME [DEPENDS lower floors] [LIBRARIES other targets])
#
# Builds every .cc beside the calling file into the library holdfast_NAME, and every *_test.cc and *_for_tests.cc into
# the test NAME_test.
function(holdfast_floor name)
  cmake_parse_arguments(PARSE_ARGV 1 FLOOR "" "" "DEPENDS;LIBRARIES")
  list(FIND HOLDFAST_FLOORS ${name} rank)
  if(rank EQUAL -1)
    message(FATAL_ERROR "src/${name} is not in HOLDFAST_FLOORS (cmake/floors.cmake): say where it stands")
  endif()
  foreach(below IN LISTS FLOOR_DEPENDS)
    list(FIND HOLDFAST_FLOORS ${below} below_rank)
    if(below_rank EQUAL -1 OR NOT below_rank LESS rank)
      message(FATAL_ERROR "src/${name} depends on ${below}, which does not lie below it (cmake/floors.cmake)")
    endif()
    if(name IN_LIST HOLDFAST_PURE_FLOORS AND NOT below IN_LIST HOLDFAST_PURE_FLOORS)
      message(FATAL_ERROR "src/${name} is pure and may not depend on ${below}, which is not (cmake/floors.cmake)")
    endif()
  endforeach()

  file(GLOB sources CONFIGURE_DEPENDS *.cc)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "(_test|_for_tests)\\.cc$")
  list(FILTER sources EXCLUDE REGEX "(_test|_for_tests)\\.cc$")
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")

  list(TRANSFORM FLOOR_DEPENDS PREPEND holdfast_)
  if(sources)
    add_library(holdfast_${name} STATIC ${sources})
    target_include_directories(holdfast_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(holdfast_${name} PUBLIC ${FLOOR_DEPENDS} ${FLOOR_LIBRARIES} Threads::Threads)
  else()
    add_library(holdfast_${name} INTERFACE)
    target_include_directories(holdfast_${name} INTERFACE ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(holdfast_${name} INTERFACE ${FLOOR_DEPENDS} ${FLOOR_LIBRARIES} Threads::Threads)
  endif()

  # A pure floor starts no threads: ThreadSanitizer, which makes simulations fifty times slower, looks only at the tests
  # that do, and what has none is not built for it.
  set(only "")
  if(HOLDFAST_SANITIZE STREQUAL "thread" AND name IN_LIST HOLDFAST_PURE_FLOORS)
    set(only --gtest_filter=*thread*)
    set(threaded "")
    foreach(test IN LISTS tests)
      file(STRINGS ${test} found REGEX "^TEST.*thread")
      list(APPEND threaded ${found})
    endforeach()
    if(NOT threaded)
      set(tests "")
    endif()
  endif()
  if(BUILD_TESTING AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE holdfast_${name} GTest::gtest GTest::gtest_main)
    add_test(NAME ${name} COMMAND ${name}_test ${only})
  endif()
endfunction()
