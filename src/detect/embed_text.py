#!/usr/bin/env python3
"""Text files -> one C file with their bytes as flaw_prompts_source entries: the command works without any file beside it.

    python3 embed_text.py OUT.c FILE...
"""
import os
import sys


def main(out, *paths):
    lines = ['/* Made by embed_text.py from models/prompts; do not edit. */', '#include "detect/prompts.h"', '']
    for i, path in enumerate(paths):
        with open(path, 'rb') as file:
            data = file.read()
        lines.append(f'static const char file{i}[] = {{')
        for at in range(0, len(data), 24):
            lines.append('    ' + ''.join(f'{b},' for b in data[at:at + 24]))
        lines += ['    0};', '']
    lines.append('static const flaw_prompts_source sources[] = {')
    for i, path in enumerate(paths):
        lines.append(f'    {{"{os.path.basename(path)}", file{i}, sizeof file{i} - 1}},')
    lines += ['    {NULL, NULL, 0},', '};', '', 'const flaw_prompts_source *flaw_prompts_sources(void)', '{',
              '    return sources;', '}', '']
    with open(out, 'w', encoding='ascii') as file:
        file.write('\n'.join(lines))


if __name__ == '__main__':
    main(*sys.argv[1:])
