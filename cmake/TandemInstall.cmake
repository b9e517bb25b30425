# What an installation has. deploy/debian/*.install says which package each file goes into.

install(TARGETS tandem tandem-supervisor tandem-archive tandem-sparse tandem-relay tandem-ui
        RUNTIME DESTINATION bin)
if(avahi_FOUND)
  install(TARGETS tandem-discovery RUNTIME DESTINATION bin)
endif()
install(FILES deploy/systemd/tandem@.service deploy/systemd/tandem-relay.service DESTINATION lib/systemd/system)
install(FILES deploy/systemd/tandem.service DESTINATION lib/systemd/user)
install(FILES deploy/systemd/sysusers.conf DESTINATION lib/sysusers.d RENAME tandem.conf)
install(FILES deploy/tandem.conf.example DESTINATION share/doc/tandem)
install(FILES ${CMAKE_BINARY_DIR}/share/tandem.cdx.json DESTINATION share/tandem)

# The clients, each a folder to copy or to be found where it lies.
foreach(client node lama python)
  install(DIRECTORY ipc/clients/${client}/ DESTINATION share/tandem/clients/${client}
          FILES_MATCHING PATTERN "*.mjs" PATTERN "*.d.ts" PATTERN "package.json" PATTERN "*.py"
          PATTERN examples EXCLUDE PATTERN __pycache__ EXCLUDE PATTERN node_modules EXCLUDE)
endforeach()
foreach(client node python)
  install(DIRECTORY ipc/clients/${client}/examples/ DESTINATION share/doc/tandem/examples/${client}
          FILES_MATCHING PATTERN "*.mjs" PATTERN "*.py" PATTERN __pycache__ EXCLUDE)
endforeach()

# tandem_made(FILE COMMAND … DEPENDS …): a file below share/ of the build folder that the command prints.
function(tandem_made FILE)
  cmake_parse_arguments(ARG "" "" "COMMAND;DEPENDS" ${ARGN})
  set(file ${CMAKE_BINARY_DIR}/share/${FILE})
  add_custom_command(OUTPUT ${file} COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/share
    COMMAND ${ARG_COMMAND} > ${file} DEPENDS ${ARG_DEPENDS} VERBATIM)
  set_property(GLOBAL APPEND PROPERTY TANDEM_MADE ${file})
endfunction()

foreach(shell bash zsh fish)
  tandem_made(tandem.${shell} COMMAND tandem completion ${shell} DEPENDS tandem)
endforeach()
install(FILES ${CMAKE_BINARY_DIR}/share/tandem.bash DESTINATION share/bash-completion/completions RENAME tandem)
install(FILES ${CMAKE_BINARY_DIR}/share/tandem.zsh DESTINATION share/zsh/site-functions RENAME _tandem)
install(FILES ${CMAKE_BINARY_DIR}/share/tandem.fish DESTINATION share/fish/vendor_completions.d RENAME tandem.fish)

# The manual only where scdoc is there.
find_program(SCDOC scdoc)
if(SCDOC)
  foreach(page tandem.1 tandem-supervisor.1 tandem-relay.1 tandem.conf.5)
    set(source ${CMAKE_SOURCE_DIR}/docs/man/${page}.scd)
    tandem_made(${page} COMMAND ${SCDOC} < ${source} DEPENDS ${source})
    string(REGEX MATCH "[0-9]$" section ${page})
    install(FILES ${CMAKE_BINARY_DIR}/share/${page} DESTINATION share/man/man${section})
  endforeach()
endif()
get_property(made GLOBAL PROPERTY TANDEM_MADE)
add_custom_target(share ALL DEPENDS ${made})
