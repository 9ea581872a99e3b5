# One test for each folder that holds specs, run by busted inside neap, and one for luacheck.
# A new spec file or folder is found by the next build, and so is a new fuzzer.

find_program(BUSTED busted)
find_program(LUACHECK luacheck)
file(GLOB_RECURSE spec_files RELATIVE ${CMAKE_SOURCE_DIR} CONFIGURE_DEPENDS
     ${CMAKE_SOURCE_DIR}/spec/*_spec.lua)

set(spec_folders "")
foreach(file IN LISTS spec_files)
  cmake_path(GET file PARENT_PATH folder)
  if(NOT folder MATCHES "^spec/bench")
    list(APPEND spec_folders ${folder})
  endif()
endforeach()
list(REMOVE_DUPLICATES spec_folders)

# What the caller has set for another Lua must not reach busted.
set(environment "")
foreach(name LUA_PATH LUA_CPATH LUA_INIT)
  list(APPEND environment ${name}=unset: ${name}_5_4=unset:)
endforeach()
if(NEAP_SANITIZE)
  # Sizes that no allocator grants are refused, as without the sanitizer. Leaks of other
  # people's libraries are listed, with the reason, in .ci/leaks.
  list(APPEND environment UBSAN_OPTIONS=string_append::print_stacktrace=1
       ASAN_OPTIONS=string_append::detect_leaks=1:allocator_may_return_null=1:strict_string_checks=1)
  if(EXISTS ${CMAKE_SOURCE_DIR}/.ci/leaks)
    list(APPEND environment
         LSAN_OPTIONS=string_append::suppressions=${CMAKE_SOURCE_DIR}/.ci/leaks:print_suppressions=0)
  endif()
endif()

foreach(folder IN LISTS spec_folders)
  if(NEAP_SANITIZE AND folder STREQUAL "spec/host")
    continue() # its allocator that fails is not built beside the sanitizers' own
  endif()
  if(NOT BUSTED)
    message(STATUS "busted was not found: no specs in ctest")
    break()
  endif()
  string(REGEX REPLACE "^spec/" "" name ${folder})
  add_test(NAME ${name} COMMAND neap ${BUSTED} --no-recursive ${folder}
           WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  # A run of no spec at all is a failure too.
  set_tests_properties(${name} PROPERTIES
    TIMEOUT 600
    ENVIRONMENT_MODIFICATION "${environment}"
    FAIL_REGULAR_EXPRESSION "(^|[^0-9])0 successes / 0 failures / 0 errors")
endforeach()

if(LUACHECK)
  add_test(NAME luacheck COMMAND ${LUACHECK} --quiet .
           WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
endif()

# spec/fuzz/x.c, with its LLVMFuzzerTestOneInput, becomes fuzz_x.
if(NEAP_FUZZ)
  file(GLOB fuzzers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/spec/fuzz/*.c)
  if(NOT TARGET neap_mat)
    list(REMOVE_ITEM fuzzers ${CMAKE_SOURCE_DIR}/spec/fuzz/mat.c)
  endif()
  foreach(fuzzer IN LISTS fuzzers)
    cmake_path(GET fuzzer STEM name)
    add_executable(fuzz_${name} ${fuzzer} spec/fuzz/support/fuzz.c)
    target_include_directories(fuzz_${name} PRIVATE ${CMAKE_SOURCE_DIR}/spec/fuzz)
    target_link_libraries(fuzz_${name} PRIVATE ${NEAP_LIBRARIES})
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer -Wl,--wrap=lua_load)
  endforeach()
  if(TARGET neap_mat)
    target_sources(fuzz_mat PRIVATE ${NEAP_MAT_SOURCES})
    target_include_directories(fuzz_mat SYSTEM PRIVATE ${MATIO_INCLUDE_DIR})
    target_link_libraries(fuzz_mat PRIVATE ${MATIO_LIBRARY})
  endif()
endif()

# What specs ask of the kernel.
add_library(kernel MODULE spec/support/kernel.c host/block/available.c)
target_include_directories(kernel PRIVATE host)
set_target_properties(kernel PROPERTIES PREFIX "")
target_include_directories(kernel SYSTEM PRIVATE ${LUA_INCLUDE_DIRS})

# What specs do to neap's knowledge of Lua.
add_library(slots MODULE spec/support/slots.c)
target_include_directories(slots PRIVATE host)
set_target_properties(slots PROPERTIES PREFIX "")
target_include_directories(slots SYSTEM PRIVATE ${LUA_INCLUDE_DIRS})
target_link_libraries(slots PRIVATE PkgConfig::UV)

# Drives the allocator that Lua has in neap.
add_library(allocator MODULE spec/support/allocator.c)
set_target_properties(allocator PROPERTIES PREFIX "")
target_include_directories(allocator SYSTEM PRIVATE ${LUA_INCLUDE_DIRS})

# An allocator that fails on request; the sanitizers have one of their own.
if(NOT NEAP_SANITIZE)
  add_library(failing MODULE spec/support/failing.c)
  set_target_properties(failing PROPERTIES PREFIX "")
  target_include_directories(failing SYSTEM PRIVATE ${LUA_INCLUDE_DIRS})
endif()
