# Writes OUT, a C file with the bytes of the file FROM.
file(READ ${FROM} hex HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
file(WRITE ${OUT} "// Made by clock_library.cmake.\n#include \"supervisor/simulate/clock_library.h\"\n\nconst unsigned char CLOCK_LIBRARY[] = {${bytes}};\nconst size_t CLOCK_LIBRARY_SIZE = sizeof CLOCK_LIBRARY;\n")
