// The files of the page, part of the program.
#pragma once

#include "base/bytes.h"

struct ui_file {
    const char *path; // "/" for index.html
    const char *type;
    struct span body;
};

extern const struct ui_file UI_FILES[]; // made while building, by files.cmake from page/
extern const size_t UI_FILE_COUNT;
