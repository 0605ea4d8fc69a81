#!/usr/bin/env python3
"""Count what ran, from meson's testlog.json files: python3 tools/count_tests.py LOG...

A cmocka program counts with each of its tests, a Python unittest with each of its methods, any other program once. A
program that dies half-way loses its lines, so a bad end without a failed test counts as one failure. The last line
printed is "N passed, N failed, N skipped"; exit status 1 when something failed or nothing ran.
"""
import json
import re
import sys

# Result of the whole program, as meson names it, when its own tests cannot be counted.
WHOLE = {'OK': (1, 0, 0), 'EXPECTEDFAIL': (1, 0, 0), 'SKIP': (0, 0, 1)}


def count_cmocka(text):
    """(passed, failed, skipped), or None where the output is not cmocka's."""
    ran = len(re.findall(r'^\[ RUN      \] ', text, re.M))
    if ran == 0:
        return None
    passed = text.count('[       OK ] ')
    skipped = len(re.findall(r'\[  SKIPPED \] (?!\d+ test)', text))
    return passed, ran - passed - skipped, skipped


def count_unittest(text):
    match = re.search(r'^Ran (\d+) tests? in .*?\n\n(OK|FAILED)(?: \((.*)\))?', text, re.M | re.S)
    if not match:
        return None
    parts = dict(re.findall(r'(\w+)=(\d+)', match.group(3) or ''))
    failed = int(parts.get('failures', 0)) + int(parts.get('errors', 0))
    skipped = int(parts.get('skipped', 0))
    return int(match.group(1)) - failed - skipped, failed, skipped


def count(program):
    """`program`: one line of testlog.json."""
    stdout, stderr = program.get('stdout') or '', program.get('stderr') or ''
    counts = count_cmocka(stdout) or count_unittest(stderr) or count_unittest(stdout)
    if counts is None:
        return WHOLE.get(program['result'], (0, 1, 0))
    if program['result'] not in WHOLE and counts[1] == 0:
        return counts[0], 1, counts[2]
    return counts


def main(paths):
    total, bad = [0, 0, 0], []
    for path in paths:
        with open(path, encoding='utf-8') as log:
            for line in log:
                program = json.loads(line)
                counts = count(program)
                total = [a + b for a, b in zip(total, counts)]
                if counts[1]:
                    bad.append(f'failed: {program["name"]} ({counts[1]}), see {path.replace(".json", ".txt")}')
    print('\n'.join(bad), end='\n' if bad else '')
    if total[0] + total[1] == 0:
        print('no test ran')
        total[1] = 1
    print('{} passed, {} failed, {} skipped'.format(*total))
    return 1 if total[1] else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
