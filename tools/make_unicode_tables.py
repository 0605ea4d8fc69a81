#!/usr/bin/env python3
"""Write src/model/text/unicode_tables.c and src/model/text/entity_table.c from Python's own unicodedata and html.entities.

The tokenizer needs the classes "letter" and "number", lower case, and HTML's named characters, as CLIP's reference
(which is Python) has them. Run from the root of the project; commit what it writes.
"""
import html.entities
import sys
import unicodedata


def rows(items, width=118):
    line = "   "
    for item in items:
        if len(line) + len(item) + 1 > width:
            yield line
            line = "   "
        line += " " + item
    yield line


def class_ranges(initial):
    """Inclusive ranges of code points whose category begins with `initial`."""
    ranges = []
    for code in range(0x110000):
        if unicodedata.category(chr(code))[0] != initial:
            continue
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return ranges


def lower_ranges():
    """(first, last, step, distance): code points first, first + step, ... last become themselves + distance."""
    ranges = []
    for code in range(0x110000):
        lower = chr(code).lower()
        if len(lower) != 1 or ord(lower) == code:
            continue
        distance = ord(lower) - code
        if ranges:
            first, last, step, old = ranges[-1]
            gap = code - last
            if old == distance and (gap == step or (step == 0 and gap <= 2)):
                ranges[-1] = [first, code, gap, distance]
                continue
        ranges.append([code, code, 0, distance])
    return ranges


def write_unicode(path):
    with open(path, "w") as out:
        out.write("/* Written by tools/make_unicode_tables.py (Unicode %s): do not edit. */\n"
                  % unicodedata.unidata_version)
        out.write('#include "model/text/unicode.h"\n\n/* clang-format off */\n')
        for name, initial in (("letters", "L"), ("numbers", "N")):
            ranges = class_ranges(initial)
            out.write("const flaw_code_range flaw_unicode_%s[] = {\n" % name)
            out.write("\n".join(rows("{%d,%d}," % tuple(r) for r in ranges)))
            out.write("\n};\nconst size_t flaw_unicode_%s_count = %d;\n\n" % (name, len(ranges)))
        lower = lower_ranges()
        out.write("const flaw_lower_range flaw_unicode_lower[] = {\n")
        out.write("\n".join(rows("{%d,%d,%d,%d}," % (f, l, s or 1, d) for f, l, s, d in lower)))
        out.write("\n};\nconst size_t flaw_unicode_lower_count = %d;\n" % len(lower))


def write_entities(path):
    """Names without the final ';' where both forms exist are told apart by a flag instead of a second row."""
    table = html.entities.html5
    names = sorted({name.rstrip(";") for name in table}, key=lambda n: n.encode())
    cells = []
    for name in names:
        text = table[name + ";"]
        codes = [ord(c) for c in text] + [0]
        cells.append('{"%s",%d,%d,%d},' % (name, codes[0], codes[1], name in table))
    with open(path, "w") as out:
        out.write("/* Written by tools/make_unicode_tables.py (HTML's named characters): do not edit. */\n")
        out.write('#include "model/text/unicode.h"\n\n/* clang-format off */\n')
        out.write("const flaw_entity flaw_entities[] = {\n" + "\n".join(rows(cells)) + "\n};\n")
        out.write("const size_t flaw_entities_count = %d;\n" % len(cells))


def main():
    write_unicode("src/model/text/unicode_tables.c")
    write_entities("src/model/text/entity_table.c")
    return 0


if __name__ == "__main__":
    sys.exit(main())
