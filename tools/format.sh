#!/bin/sh
# What clang-format would change, file by file with the number of lines: sh tools/format.sh [--apply] [FILE...]
# Advice, not a law: a table laid out by hand may stay. Exit status 0 whatever it finds.
set -eu
cd "$(dirname "$0")/.."

apply=
if [ "${1:-}" = --apply ]; then
    apply=1
    shift
fi
if ! command -v clang-format >/dev/null; then
    echo 'format.sh: clang-format is missing (apt-get install clang-format)' >&2
    exit 69
fi
# shellcheck disable=SC2046
[ $# -gt 0 ] || set -- $(git ls-files '*.c' '*.h')
for file in "$@"; do
    lines=$(clang-format "$file" | diff - "$file" | grep -c '^>' || true)
    [ "$lines" != 0 ] || continue
    echo "$file: $lines"
    [ -z "$apply" ] || clang-format -i "$file"
done
