// QR codes of short texts: in half blocks for a terminal, or as a picture in a file.
#pragma once

#include "base/bytes.h"
#include "base/error.h"

// STATUS_TOO_BIG "TOO-BIG" when the text does not fit into a QR code.
// columns: of the terminal, 0 = it does not matter; where they are too few for the margin that scanners like, it gets
// narrower, and where even that does not help, TOO-BIG says how wide the code is.
enum status qr_blocks(const char *text, int columns, struct buf *out, struct error *e);
enum status qr_svg(const char *text, struct buf *out, struct error *e);
enum status qr_png(const char *text, struct buf *out, struct error *e);

// Writes a picture; its form follows from the name: .svg or .png, anything else is USAGE. Mode 0600, as it holds a
// token.
enum status qr_check(const char *path, struct error *e); // of the name
enum status qr_write(const char *text, const char *path, struct error *e);
