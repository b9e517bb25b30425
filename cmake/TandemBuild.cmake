# Compiler settings and the few functions every folder uses to declare its targets.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# Tests and warnings as errors are for those who work on tandem: they are on where the library of the tests is there.
find_package(PkgConfig REQUIRED)
pkg_check_modules(cmocka QUIET IMPORTED_TARGET cmocka)
if(cmocka_FOUND)
  set(working_on_it ON)
else()
  set(working_on_it OFF)
endif()
option(TANDEM_TESTS "Build the tests and tandem-vectors" ${working_on_it})
option(TANDEM_STRICT "Warnings are errors" ${TANDEM_TESTS})
option(TANDEM_FUZZ "Build the libFuzzer targets (clang only)" OFF)
set(TANDEM_SANITIZE "" CACHE STRING "Sanitizers for the whole build, e.g. address,undefined or thread")
set(TANDEM_SANDBOX "enforce" CACHE STRING "enforce or off (off only for sanitizer, coverage and fuzz builds)")

add_compile_definitions(_GNU_SOURCE TANDEM_VERSION="${PROJECT_VERSION}")
add_compile_options(-Wall -Wextra -Wconversion -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes
                    -fno-common -fstack-protector-strong)
if(TANDEM_STRICT)
  add_compile_options(-Werror)
endif()
if(CMAKE_BUILD_TYPE MATCHES "Release|RelWithDebInfo")
  add_compile_definitions(_FORTIFY_SOURCE=2)
  add_link_options(-Wl,-z,relro,-z,now)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Debug" AND NOT TANDEM_SANITIZE)
  add_compile_definitions(TANDEM_DEBUGGABLE) # proto/base/dumps.h
endif()
if(TANDEM_SANITIZE OR CMAKE_BUILD_TYPE STREQUAL "Debug")
  add_compile_definitions(TANDEM_INVARIANTS) # proto/base/invariant.h
endif()
if(TANDEM_SANITIZE)
  add_compile_options(-fsanitize=${TANDEM_SANITIZE} -fno-omit-frame-pointer)
  if(CMAKE_BUILD_TYPE STREQUAL "Debug") # twice as fast as without, and every access is still looked at
    add_compile_options(-O1)
  endif()
  if(CMAKE_C_COMPILER_ID STREQUAL "GNU") # false alarms there; the other builds take them as errors
    add_compile_options(-Wno-maybe-uninitialized -Wno-format-truncation)
  endif()
  add_link_options(-fsanitize=${TANDEM_SANITIZE})
  if(TANDEM_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
  set(TANDEM_SANDBOX "off")
endif()
if(TANDEM_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
  set(TANDEM_SANDBOX "off")
endif()

# tandem_library(NAME SOURCES a.c … LINKS target …): one module. LINKS is its complete list of dependencies; the
# include root of each layer is proto/ (or the top for ipc), so headers are named by folder: "base/error.h".
function(tandem_library NAME)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_library(tandem_${NAME} STATIC ${ARG_SOURCES})
  target_include_directories(tandem_${NAME} PUBLIC ${CMAKE_SOURCE_DIR}/proto ${CMAKE_SOURCE_DIR})
  target_link_libraries(tandem_${NAME} PUBLIC ${ARG_LINKS})
endfunction()

# tandem_test(NAME [THREADS] SOURCES a.c … LINKS target …): one cmocka program, run by ctest as NAME. THREADS: threads meet
# in it, so it also runs under ThreadSanitizer (target and label "threads").
add_custom_target(threads)
function(tandem_test NAME)
  cmake_parse_arguments(ARG "THREADS" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${NAME} ${ARG_SOURCES})
  target_link_libraries(${NAME} PRIVATE ${ARG_LINKS} tandem_cmocka)
  target_compile_definitions(${NAME} PRIVATE TEST_VECTORS="${CMAKE_SOURCE_DIR}/tests/vectors")
  set_target_properties(${NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${NAME} COMMAND ${NAME})
  set_tests_properties(${NAME} PROPERTIES TIMEOUT 300)
  if(ARG_THREADS)
    set_tests_properties(${NAME} PROPERTIES LABELS threads)
    add_dependencies(threads ${NAME})
  endif()
endfunction()
