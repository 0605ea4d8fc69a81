#!/usr/bin/env python3
"""The laws of this house that a script can check; one line per violation, file:line. Run by the tests.

    python3 tools/check_laws.py [ROOT] [--report]

Checked: which folder may include which, size of files, functions and lines, banned calls, variables that outlive a
call and change, forgotten marks, paths of one machine. --report also lists what is large but still allowed. Exit
status 1 when a law is broken.
"""
import os
import re
import subprocess
import sys

# A folder includes its own files, folders of a smaller number, include/flaw and the system.
LAYERS = {'base': 0, 'kernel': 1, 'format': 1, 'image': 1, 'simulate': 2, 'nn': 2, 'model': 3, 'detect': 4,
          'method': 5, 'talk': 5, 'record': 5, 'inspect': 6, 'learn': 6, 'measure': 6}
FILE_ALLOWED, FILE_AIM = 800, 600        # lines
FUNCTION_ALLOWED, FUNCTION_AIM = 100, 60  # lines, from the opening brace to the closing one
COLUMNS_ALLOWED, COLUMNS_AIM = 132, 120   # characters
BANNED = {
    'strcpy': 'memcpy with a checked size', 'strcat': 'flaw_buffer_text', 'sprintf': 'snprintf or flaw_buffer_printf',
    'vsprintf': 'vsnprintf', 'gets': 'flaw_file_read', 'atoi': 'strtol with a check', 'atof': 'strtod with a check',
    'atol': 'strtol with a check', 'strtok': 'strcspn', 'system': 'nothing', 'popen': 'nothing',
    'rand': 'flaw_random_u64', 'srand': 'flaw_random_init', 'alloca': 'flaw_arena_alloc', 'tmpnam': 'flaw_file_write',
}
# Library code reports and returns; only the command and the tests may print or leave.
BANNED_IN_LIBRARY = {'exit': 'a status', '_exit': 'a status', 'abort': 'a status', 'assert': 'flaw_fail',
                     'printf': 'flaw_fail', 'fprintf': 'flaw_fail', 'puts': 'flaw_fail', 'putchar': 'flaw_fail', 'perror': 'flaw_fail',
                     'strerror': 'strerrordesc_np, which threads may call'}
TEXT_ENDINGS = ('.c', '.h', '.py', '.sh', '.md', '.build', '.txt', '.js', '.css', '.html')
MARKS = re.compile(r'\b(?:TO' r'DO|FIX' r'ME|XX' r'X)\b')
MACHINE_PATHS = re.compile(r'''(?<![\w.])/(?:work|home|root|Users|mnt)/\w''')


def tracked(root):
    """Files git knows or would know; every file where `root` is no repository (the planted trees of the tests)."""
    if os.path.exists(os.path.join(root, '.git')):
        out = subprocess.run(['git', '-c', 'safe.directory=*', '-C', root, 'ls-files', '-z', '-co',
                              '--exclude-standard'], capture_output=True, check=True).stdout
        names = [n for n in out.decode().split('\0') if n]
    else:
        names = [os.path.relpath(os.path.join(d, f), root) for d, _, fs in os.walk(root) for f in fs]
    return sorted(n for n in set(names) if os.path.isfile(os.path.join(root, n)))


def blank(match):
    """Spaces in place of a comment or the inside of a string: columns and line numbers stay."""
    return re.sub(r'[^\n]', ' ', match.group())


def strip_c(text):
    """C without comments, strings and characters. An #include keeps its name for check_includes."""
    keep_includes = re.compile(r'^[ \t]*#[ \t]*include[^\n]*', re.M)
    kept = {m.start(): m.group() for m in keep_includes.finditer(text)}
    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
    bare = pattern.sub(blank, text)
    for start, line in kept.items():
        bare = bare[:start] + line + bare[start + len(line):]
    return bare


def layer_of(name):
    parts = name.split('/')
    return parts[1] if parts[0] == 'src' and len(parts) > 2 else None


def check_includes(name, lines):
    """A file includes its own folder, lower layers, include/flaw and the system; app/ only include/flaw."""
    own = layer_of(name)
    is_app, is_public = name.startswith('app/'), name.startswith('include/flaw/')
    if own is not None and own not in LAYERS:
        yield 1, f'folder src/{own} has no layer in tools/check_laws.py'
        return
    for number, line in enumerate(lines, 1):
        match = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
        if not match:
            continue
        path = match.group(1)
        folder = path.split('/')[0] if '/' in path else ''
        if '..' in path.split('/') and (own or is_app or is_public):
            yield number, f'#include "{path}": a path upwards, allowed is "FOLDER/FILE.h"'
        elif folder == 'flaw' or folder == '':
            continue
        elif is_app:
            if folder in LAYERS:
                yield number, f'#include "{path}": app/ may include only include/flaw and its own folder'
        elif is_public:
            yield number, f'#include "{path}": a public header may include only include/flaw and the system'
        elif own is not None and folder in LAYERS and folder != own and LAYERS[folder] >= LAYERS[own]:
            yield number, (f'#include "{path}": {own} is layer {LAYERS[own]} and may not include {folder}, '
                           f'layer {LAYERS[folder]}')
        elif own is not None and folder not in LAYERS:
            yield number, f'#include "{path}": no such folder in src/'


def functions(lines):
    """(first line, last line, name) of every function: in this house its braces stand in the first column."""
    start = None
    for number, line in enumerate(lines, 1):
        if line.startswith('{') and start is None:
            start = number
        elif line.startswith('}') and start is not None:
            head = ' '.join(lines[max(0, start - 6):start - 1])
            names = re.findall(r'(\w+)\s*\([^;{}]*\)[^;{}()]*$', head) or re.findall(r'(\w+)\s*\(', head)
            yield start, number, names[0] if names else '?'
            start = None


def check_calls(name, lines):
    banned = dict(BANNED)
    if name.startswith('src/'):
        banned.update(BANNED_IN_LIBRARY)
    call = re.compile(r'(?<![\w.>])(' + '|'.join(banned) + r')\s*\(')
    for number, line in enumerate(lines, 1):
        for match in call.finditer(line):
            yield number, f'{match.group(1)}() is banned, use {banned[match.group(1)]}'


def check_globals(lines):
    """Nothing in the library outlives a call and changes, but what an engine or a session holds."""
    variable = re.compile(r'\s*static\s+(?!inline\b)(?!.*\bconst\b)(?!_Noreturn\b)[^()]*[;={]')
    for number, line in enumerate(lines, 1):
        if variable.match(line):
            yield number, f'"{line.strip()[:40]}": a variable that outlives the call must be const'


def check_text(text):
    """Any text file: marks of unfinished work, and paths that only one machine has."""
    for number, line in enumerate(text.split('\n'), 1):
        for match in MARKS.finditer(line):
            yield number, f'"{match.group()}" left behind: do it, or open an issue'
        for match in MACHINE_PATHS.finditer(line):
            yield number, f'"{line[match.start():match.start() + 30].split()[0]}" is a path of one machine'


def check_c(name, text, report):
    lines = strip_c(text).split('\n')
    yield from check_includes(name, lines)
    yield from check_calls(name, lines)
    if name.startswith('src/'):
        yield from check_globals(lines)
    for number, line in enumerate(text.split('\n'), 1):
        if len(line) > COLUMNS_ALLOWED:
            yield number, f'{len(line)} columns, allowed are {COLUMNS_ALLOWED}'
        elif len(line) > COLUMNS_AIM:
            report.append(f'{name}:{number}: {len(line)} columns, the aim is {COLUMNS_AIM}')
        if '\t' in line:
            yield number, 'a tab, expected are spaces'
    count = text.count('\n')
    if count > FILE_ALLOWED:
        yield count, f'{count} lines in one file, allowed are {FILE_ALLOWED}'
    elif count > FILE_AIM:
        report.append(f'{name}: {count} lines, the aim is {FILE_AIM}')
    for first, last, function in functions(lines):
        size = last - first + 1
        if size > FUNCTION_ALLOWED:
            yield first, f'{function}() has {size} lines, allowed are {FUNCTION_ALLOWED}'
        elif size > FUNCTION_AIM:
            report.append(f'{name}:{first}: {function}() has {size} lines, the aim is {FUNCTION_AIM}')


def check_tree(root):
    """(violations, report): lists of lines."""
    violations, report, c_files = [], [], 0
    for name in tracked(root):
        if not (name.endswith(TEXT_ENDINGS) or os.path.basename(name) == 'run') or '/corpus/' in name:
            continue
        with open(os.path.join(root, name), encoding='utf-8', errors='replace') as file:
            text = file.read()
        found = list(check_text(text))
        if name.endswith(('.c', '.h')):
            c_files += 1
            found += check_c(name, text, report)
        violations += [f'{name}:{number}: {what}' for number, what in sorted(found)]
    if c_files == 0:
        violations.append(f'{root}: no C files found, so nothing was checked')
    return violations, report


def main(arguments):
    roots = [a for a in arguments if not a.startswith('-')]
    root = roots[0] if roots else os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
    violations, report = check_tree(root)
    if '--report' in arguments:
        print('\n'.join(report))
    for line in violations:
        print(line)
    print(f'{len(violations)} laws broken, {len(report)} places over the aim')
    return 1 if violations else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
