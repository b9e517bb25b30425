// What mail programs, chats, shells and terminals do to an invitation on its way, undone: an invitation holds no
// blanks, no < or >, and nothing beyond ASCII, so whatever of that is found was put there.
#pragma once

#include "base/bytes.h"

// Appends text without byte order marks (UTF-16 becomes UTF-8), white and invisible characters, folds (also those of
// quoted-printable), quote marks, tags and escape sequences of terminals; with straight quotes for typographic ones.
void unbend_text(struct span text, struct buf *out);

// Undoes one encoding of the text, HTML entities, quoted-printable or percent, and then what unbend_text does. false:
// there is none; text is as it was.
bool unbend_encoding(struct buf *text);

// Appends what is behind the first base64 of a JSON object at *cursor or later, which moves on. false: there is none.
bool unbend_base64(struct span text, size_t *cursor, struct buf *out);

// The URL inside [URL](URL) and URL|URL, as chats make links of it.
struct span unbend_url(struct span url);
