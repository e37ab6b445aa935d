# hansard_folder(NAME [CORE] [LINK libs...]): a static library of every .cc in this folder that is not a test, a
# fuzz target or a main program, and a GoogleTest program NAME_test of its *_test.cc. CORE folders are built without
# exceptions and RTTI.
function(hansard_folder name)
  cmake_parse_arguments(ARG "CORE" "" "LINK;TEST_LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "(_test|_fuzz|_main)\\.cc$")
  if(sources)
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC ${ARG_LINK})
    if(ARG_CORE)
      target_compile_options(${name} PRIVATE -fno-exceptions -fno-rtti)
    endif()
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${ARG_LINK})
  endif()
  if(ARG_CORE AND NOT HANSARD_CORE_TESTS)
    set(tests)
  endif()
  if(HANSARD_TESTS AND NOT HANSARD_CORE_ONLY AND tests)
    find_package(GTest REQUIRED)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE ${name} ${ARG_TEST_LINK} GTest::gtest GTest::gtest_main)
    hansard_test(${name})
  endif()
endfunction()

# hansard_test(NAME): registers the GoogleTest program NAME_test. Its cases are written as JSON beside the build, where
# ./test counts them.
function(hansard_test name)
  add_test(NAME ${name} COMMAND ${name}_test WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 900 LABELS gtest
                       ENVIRONMENT "GTEST_OUTPUT=json:${CMAKE_BINARY_DIR}/test-results/${name}.json")
endfunction()
