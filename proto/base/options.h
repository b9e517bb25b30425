// The options of programs that have no commands: --NAME, --NAME VALUE, --NAME=VALUE. tandem, whose commands have
// options of their own, reads them in supervisor/ctl/main.c.
#pragma once

#include "base/bytes.h"
#include "base/error.h"

enum option_kind {
    OPTION_FLAG,   // bool
    OPTION_TEXT,   // const char *, which belongs to argv
    OPTION_WORDS,  // struct buf: the values of all of them, with a space between
    OPTION_NUMBER, // size_t, at most OPTION_NUMBER_MAX
};

enum { OPTION_NUMBER_MAX = 1000000, OPTIONS_MAX = 16 };

struct option_row { // name NULL ends the table
    const char *name;
    enum option_kind kind;
    void *to; // what is written to if the option is there
};

// Code USAGE: an option is unknown, lacks its value or has a wrong one, or there is an argument that is none.
enum status options_read(int argc, char **argv, const struct option_row *rows, struct error *e);
