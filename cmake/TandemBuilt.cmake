# What --version says of this build, as a header.
set(features "")
if(TANDEM_SANDBOX STREQUAL "enforce")
  list(APPEND features walls)
endif()
if(avahi_FOUND)
  list(APPEND features discovery)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Debug" AND NOT TANDEM_SANITIZE)
  list(APPEND features debuggable)
endif()
if(TANDEM_SANITIZE OR CMAKE_BUILD_TYPE STREQUAL "Debug")
  list(APPEND features invariants)
endif()
string(REPLACE "," ";" sanitizers "${TANDEM_SANITIZE}")
set(features_c "")
foreach(feature IN LISTS features sanitizers)
  string(APPEND features_c "\"${feature}\", ")
endforeach()
set(libraries_c "")
foreach(need IN LISTS TANDEM_NEEDS)
  string(REGEX REPLACE "^([^|]*)[|]([^|]*)[|].*" "{\"\\1\", \"\\2\"}, " row "${need}")
  string(APPEND libraries_c "${row}")
endforeach()
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/built/built.h CONTENT [[
#pragma once
#define BUILT_FEATURES @features_c@NULL
#define BUILT_LIBRARIES @libraries_c@{NULL, NULL}
]] @ONLY)
