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
tandem_needs(zstd libzstd BSD-3-Clause)

# Without it there is no tandem-discovery, and 'tandem discovery on' says so.
pkg_check_modules(avahi QUIET IMPORTED_TARGET avahi-client)
if(avahi_FOUND)
  list(APPEND TANDEM_NEEDS "avahi-client|${avahi_VERSION}|LGPL-2.1-or-later")
endif()

# libev has no file for pkg-config.
find_path(EV_INCLUDE ev.h REQUIRED)
find_library(EV_LIBRARY ev REQUIRED)
file(STRINGS ${EV_INCLUDE}/ev.h ev_version REGEX "define EV_VERSION_M(AJOR|INOR) ")
string(REGEX REPLACE "[^0-9;]" "" ev_version "${ev_version}")
string(REPLACE ";" "." ev_version "${ev_version}")
list(APPEND TANDEM_NEEDS "libev|${ev_version}|BSD-2-Clause")
add_library(tandem_ev INTERFACE)
target_include_directories(tandem_ev SYSTEM INTERFACE ${EV_INCLUDE})
target_link_libraries(tandem_ev INTERFACE ${EV_LIBRARY})

if(TANDEM_TESTS)
  pkg_check_modules(ssl REQUIRED IMPORTED_TARGET libssl)
  if(NOT cmocka_FOUND)
    message(FATAL_ERROR "The tests need cmocka: deploy/install-packages.sh test, or -DTANDEM_TESTS=OFF")
  endif()
  add_library(tandem_cmocka INTERFACE)
  target_link_libraries(tandem_cmocka INTERFACE PkgConfig::cmocka)
endif()
