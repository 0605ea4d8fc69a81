#!/bin/sh
# Search for crashes in one fuzz target: sh tools/fuzz.sh NAME [SECONDS]. Needs clang and its sanitizer runtime.
set -eu
cd "$(dirname "$0")/.."

if [ $# -lt 1 ]; then
    echo "usage: sh tools/fuzz.sh NAME [SECONDS]      NAME is one of:" >&2
    find tests/fuzz -name 'fuzz_*.c' | sed 's/.*fuzz_\(.*\)\.c$/  \1/' | sort >&2
    exit 2
fi
name=$1
seconds=${2:-60}
if [ ! -f "tests/fuzz/fuzz_$name.c" ]; then
    echo "fuzz.sh: there is no tests/fuzz/fuzz_$name.c" >&2
    exit 2
fi
if ! command -v clang >/dev/null; then
    echo "fuzz.sh: clang is missing (apt-get install clang libclang-rt-14-dev)" >&2
    exit 69
fi

if [ ! -f build-fuzz/build.ninja ]; then
    CC=clang meson setup build-fuzz -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false \
        -Dbuildtype=debugoptimized >build-fuzz.log 2>&1 || { cat build-fuzz.log >&2; exit 70; }
    rm -f build-fuzz.log
fi
ninja -C build-fuzz "tests/fuzz/fuzz_$name" >&2

found=out/fuzz/$name
mkdir -p "$found/corpus"
echo "fuzzing $name for $seconds s; new inputs in $found/corpus, crashes in $found" >&2
UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 exec "build-fuzz/tests/fuzz/fuzz_$name" \
    -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 \
    -artifact_prefix="$found/" "$found/corpus" "tests/fuzz/corpus/$name"
