# The libraries tandem stands on, each as one imported target. docs/dependencies.md says what each is for.

# tandem_needs(NAME MODULE LICENCE): the target PkgConfig::NAME, and its place in the list of what is in the programs.
macro(tandem_needs NAME MODULE LICENCE)
  pkg_check_modules(${NAME} REQUIRED IMPORTED_TARGET ${MODULE})
  string(REGEX REPLACE "-$" "" version "${${NAME}_VERSION}") # libwebsockets says 4.1.6-
  list(APPEND TANDEM_NEEDS "${MODULE}|${version}|${LICENCE}")
endmacro()

find_package(Threads REQUIRED)
find_package(nng CONFIG REQUIRED)
set(TANDEM_NEEDS "nng|${nng_VERSION}|MIT")
tandem_needs(sodium libsodium ISC)
tandem_needs(crypto libcrypto Apache-2.0)
tandem_needs(sqlite sqlite3 blessing)
tandem_needs(websockets libwebsockets MIT)
tandem_needs(jansson jansson MIT)
tandem_needs(pcre2 libpcre2-8 BSD-3-Clause)
tandem_needs(utf8proc libutf8proc MIT)
tandem_needs(uv libuv MIT)
tandem_needs(inih inih BSD-3-Clause)
tandem_needs(nats libnats Apache-2.0)
tandem_needs(qrencode libqrencode LGPL-2.1-or-later)
tandem_needs(png libpng libpng-2.0)

if(TANDEM_TESTS)
  pkg_check_modules(ssl REQUIRED IMPORTED_TARGET libssl)
  if(NOT cmocka_FOUND)
    message(FATAL_ERROR "The tests need cmocka: deploy/install-packages.sh test, or -DTANDEM_TESTS=OFF")
  endif()
  add_library(tandem_cmocka INTERFACE)
  target_link_libraries(tandem_cmocka INTERFACE PkgConfig::cmocka)
endif()
