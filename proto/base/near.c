// Three rows of the table of Damerau and Levenshtein are enough, also for letters that changed places.
#include "base/near.h"

#include <string.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t near_slips(const char *a, const char *b)
{
    size_t rows[3][NEAR_LETTERS + 1];
    size_t n = least(strlen(b), NEAR_LETTERS);
    for (size_t j = 0; j <= n; j++)
        rows[0][j] = j;
    size_t i = 0;
    for (; a[i] != '\0'; i++) {
        const size_t *above = rows[i % 3];
        size_t *row = rows[(i + 1) % 3];
        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            row[j + 1] = least(least(above[j + 1], row[j]) + 1, above[j] + (a[i] == b[j] ? 0 : 1));
            if (i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j])
                row[j + 1] = least(row[j + 1], rows[(i + 2) % 3][j - 1] + 1);
        }
    }
    return rows[i % 3][n];
}
