/* The name somebody meant: fewest single-letter edits, with swaps of neighbours counted as one. */
#include <string.h>

#include "options.h"

enum { LONGEST = 40 };

static int smallest(int a, int b, int c)
{
    int d = a < b ? a : b;
    return c < d ? c : d;
}

/* Optimal string alignment distance of words of at most LONGEST letters. */
static int distance(const char *a, const char *b)
{
    int table[LONGEST + 1][LONGEST + 1];
    int n = (int)strlen(a), m = (int)strlen(b);
    if (n > LONGEST || m > LONGEST) return LONGEST;
    for (int i = 0; i <= n; i++) table[i][0] = i;
    for (int j = 0; j <= m; j++) table[0][j] = j;
    for (int i = 1; i <= n; i++)
        for (int j = 1; j <= m; j++) {
            table[i][j] =
                smallest(table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && table[i - 2][j - 2] + 1 < table[i][j])
                table[i][j] = table[i - 2][j - 2] + 1;
        }
    return table[n][m];
}

const char *cli_nearest(const char *word, const char *const *names, size_t count)
{
    const char *best = NULL;
    size_t length = strlen(word);
    int least = length < 4 ? 2 : length < 8 ? 3 : 4; /* must be under it: fewer edits allowed in short words */
    for (size_t i = 0; i < count; i++) {
        int d = distance(word, names[i]);
        if (length >= 3 && strncmp(word, names[i], length) == 0) d = 0; /* a beginning of the name */
        if (d < least) {
            least = d;
            best = names[i];
        }
    }
    return best;
}
