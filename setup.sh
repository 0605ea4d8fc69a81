#!/bin/sh
# One command from a fresh Debian 12 to a result. Nothing but the base system and git is expected; run as root or with
# sudo at hand (needed only while a Debian package is missing). Quick to repeat.
set -eu

usage() {
    cat <<'END'
sh setup.sh demo [PHOTO...]      install what is missing, build, inspect the examples (or your photos)
sh setup.sh test                 install what is missing, build, run all tests (also under sanitizers)
sh setup.sh build                install what is missing, build

With photos of your own:
  OBJECT="hex nut" sh setup.sh demo nut1.jpg nut2.jpg             judged by the name of the object alone
  OBJECT="hex nut" GOOD=folder sh setup.sh demo nut1.jpg nut2.jpg also compared with the good parts in the folder

The command is left at build/flaw, the pictures of the demo in out/demo.
END
}

here=$(cd "$(dirname "$0")" && pwd)
shared=$here/../shared

# libcurl (for flaw ask --llm) comes in flavours that exclude each other.
case $(dpkg-query -W -f '${Status}' libcurl4-gnutls-dev 2>/dev/null) in
'install ok installed') curl_package=libcurl4-gnutls-dev ;;
*) curl_package=libcurl4-openssl-dev ;;
esac
build_packages='gcc libc6-dev meson ninja-build pkg-config zlib1g-dev libjpeg62-turbo-dev libpng-dev libjansson-dev
    libcmocka-dev '"$curl_package"
# PyTorch, Pillow, NumPy and scikit-learn check our gradients, pictures and metrics; the program itself never uses Python.
# The cross compiler and the emulator run the kernels' tests once more as an aarch64 machine has them.
test_packages='git python3-torch python3-pil python3-numpy python3-sklearn
    gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user'

say() { printf '\n== %s\n' "$*"; }
fail() { printf 'setup.sh: %s\n' "$*" >&2; exit 1; }

is_installed() {
    [ "$(dpkg-query -W -f '${Status}' "$1" 2>/dev/null)" = 'install ok installed' ]
}

# Run a command as root, up to three times: mirrors fail now and then.
as_root_with_patience() {
    for wait in 5 20 0; do
        if [ "$(id -u)" = 0 ]; then
            DEBIAN_FRONTEND=noninteractive "$@" && return 0
        else
            sudo env DEBIAN_FRONTEND=noninteractive "$@" && return 0
        fi
        [ "$wait" = 0 ] || { echo "failed, next try in $wait s" >&2; sleep "$wait"; }
    done
    return 1
}

install_missing() {
    missing=
    for package in "$@"; do
        is_installed "$package" || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    say "installing$missing"
    command -v apt-get >/dev/null || fail "no apt-get here; install by hand:$missing"
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null || fail "not root and no sudo; install by hand:$missing"
    as_root_with_patience apt-get -qq update || fail 'apt-get update failed three times'
    # $missing is a list of words.
    # shellcheck disable=SC2086
    as_root_with_patience apt-get -qq -y --no-install-recommends install $missing >"$here/build-packages.log" 2>&1 ||
        { tail -n 20 "$here/build-packages.log" >&2; fail 'apt-get install failed three times'; }
    rm -f "$here/build-packages.log"
}

# quietly COMMAND...: its output is of interest only when it fails.
quietly() {
    "$@" >"$here/build-last.log" 2>&1 || { tail -n 40 "$here/build-last.log" >&2; return 1; }
}

# configure FOLDER OPTION...: once; ninja notices later changes itself.
configure() {
    folder=$1
    shift
    [ -f "$folder/build.ninja" ] || quietly meson setup "$folder" "$@" || fail "meson setup $folder failed"
}

build() {
    # shellcheck disable=SC2086
    install_missing $build_packages
    say 'building build/flaw'
    configure build
    quietly ninja -C build flaw || fail 'the build failed'
}

# judge OUT ARGUMENT...: short lines into OUT.tsv, pictures into OUT; the demo goes on when a picture cannot be read.
judge() {
    out=$1
    shift
    mkdir -p "$out"
    build/flaw inspect --short --out "$out" "$@" >"$out.tsv" || demo_status=$?
}

# Brief lines of one run, or of two side by side, as a table for people.
# shellcheck disable=SC2016
as_table='
    BEGIN { print heading }
    {
        sub(/ +$/, "", $1)
        while ($1 ~ /\/.*\//) sub(/^[^\/]*\//, "", $1) # folder and name are left
        if (length($1) > 32) $1 = "..." substr($1, length($1) - 28)
        printf "%-32s  %s %s", $1, $2, $3
        if (NF > 5) printf "   %s %s", $7, $8
        print ""
    }'

# The last anomalous picture of the short lines, by its path.
# shellcheck disable=SC2016
last_anomalous='$2 ~ /^anomalous/ { last = $1 } END { sub(/ +$/, "", last); print last }'

# compare OBJECT GOOD OUT PICTURE...: one table, without GOOD ("") by the name of the object alone.
compare() {
    object=$1
    good=$2
    folder=$3
    shift 3
    say "$object"
    judge "$folder/by-name" --object "$object" "$@"
    tables=$folder/by-name.tsv
    overlays="$folder/by-name/*_overlay.png"
    heading=$(printf '%-32s  %-18s' picture 'by name alone')
    if [ -n "$good" ]; then
        judge "$folder/with-good" --object "$object" --good "$good" "$@"
        tables="$folder/by-name.tsv $folder/with-good.tsv"
        overlays="$folder/{by-name,with-good}/*_overlay.png"
        heading="$heading   with good parts"
    fi
    # $tables is a list of words: paths of our own, without blanks.
    # shellcheck disable=SC2086
    paste $tables | awk -F '\t' -v heading="$heading" "$as_table"
    echo "overlays: $overlays"
    found=$(awk -F '\t' "$last_anomalous" "${tables##* }")
    [ -z "$found" ] || { said_object=$object said_good=$good said_picture=$found; }
}

# What is said of the last anomalous picture of the tables, by the same command without --short.
in_words() {
    [ -n "${said_picture:-}" ] || return 0
    set -- --object "$said_object" "$said_picture"
    [ -z "$said_good" ] || set -- --good "$said_good" "$@"
    say 'in words'
    printf '%s' 'build/flaw inspect'
    for word in "$@"; do
        case $word in
        *[!A-Za-z0-9_./-]*) printf " '%s'" "$word" ;;
        *) printf ' %s' "$word" ;;
        esac
    done
    echo
    build/flaw inspect "$@" | fold -s -w 100
}

# A dialogue about that picture: the answers of flaw chat, one a line, each behind its question.
dialogue() {
    [ -n "${said_picture:-}" ] || return 0
    questions=out/demo/questions.txt
    printf '%s\n' 'Is there any anomaly in the image?' 'Where is it?' 'What is a heat map?' >"$questions"
    say "a dialogue: build/flaw chat --object '$said_object' $said_picture"
    build/flaw chat --object "$said_object" "$said_picture" <"$questions" |
        awk -v questions="$questions" '!/^  / { if ((getline question <questions) > 0) print "> " question } { print }'
}

# few FOLDER COUNT PATTERN: the first files of a folder, one per line.
few() {
    find "$1" -maxdepth 1 -name "$3" | sort | head -n "$2"
}

demo_examples() {
    for example in examples/*/; do
        name=$(basename "$example")
        [ -d "examples/$name/test" ] || continue
        compare "$(echo "$name" | tr '_-' '  ')" "examples/$name/good" "out/demo/$name" "examples/$name/test"
    done
}

# photographs OBJECT OUT: good parts from the list $good, pictures to judge from the list $pictures.
photographs() {
    rm -rf "$2/good"
    mkdir -p "$2/good"
    # Lists of words: these data sets have no blanks in their paths.
    # shellcheck disable=SC2086
    { ln -sr $good "$2/good" && compare "$1" "$2/good" "$2" $pictures; }
}

demo_shared() {
    data=../shared/data
    if [ -d "$data/hazelnut" ]; then
        good=$(few "$data/hazelnut/train/good" 4 '*.*')
        pictures=$(few "$data/hazelnut/test/good" 3 '*.*'; few "$data/hazelnut/test/colour" 5 '*.*')
        photographs hazelnut out/demo/hazelnut-photos
    fi
    if [ -d "$data/cookies" ]; then
        good=$(few "$data/cookies/training-images" 4 'normal-*')
        pictures=$(few "$data/cookies/test-images" 3 'test-normal-*'; few "$data/cookies/test-images" 5 'test-anomaly-*')
        photographs cookie out/demo/cookie-photos
    fi
    [ -d "$data" ] || echo 'no ../shared/data here: the demo ends with the drawn examples'
}

demo() {
    build
    demo_status=0
    if [ $# -gt 0 ]; then
        compare "${OBJECT:-object}" "${GOOD:-}" out/demo/yours "$@"
    else
        demo_examples
        demo_shared
    fi
    in_words
    dialogue
    say "the pictures lie in $here/out/demo"
    return "$demo_status"
}

# run_tests FOLDER OPTION...: the counts are read from the log afterwards, so a failure does not stop the script here.
run_tests() {
    folder=$1
    shift
    quietly ninja -C "$folder" all || fail "the build in $folder failed"
    meson test -C "$folder" --no-rebuild --print-errorlogs "$@" || tests_status=1
}

run_all_tests() {
    # shellcheck disable=SC2086
    install_missing $build_packages $test_packages
    tests_status=0
    say 'building and testing in build/'
    # CI sets STRICT: a warning fails the build. Elsewhere a newer compiler may know new ones.
    configure build "-Dwerror=${STRICT:-false}"
    run_tests build
    say 'building and testing with address and undefined-behaviour sanitizers in build-asan/'
    # With sanitizers the compiler takes some variables for uninitialized that are not.
    configure build-asan "-Dwerror=${STRICT:-false}" -Dbuildtype=debugoptimized -Db_sanitize=address,undefined \
        -Db_lundef=false -Dc_args='-fno-sanitize-recover=all -Wno-maybe-uninitialized'
    run_tests build-asan --no-suite style --timeout-multiplier 6
    say 'result'
    [ -d "$shared" ] || echo 'no ../shared here: tests that need its weights and pictures were skipped'
    python3 tools/count_tests.py build/meson-logs/testlog.json build-asan/meson-logs/testlog.json || tests_status=1
    return "$tests_status"
}

# Replace the paths among the arguments by absolute ones, for the script works in its own folder.
absolute() {
    case $1 in
    /*) echo "$1" ;;
    *) echo "$PWD/$1" ;;
    esac
}

command=${1:-}
[ $# -eq 0 ] || shift
case $command in
demo)
    for photo in "$@"; do
        shift
        set -- "$@" "$(absolute "$photo")"
    done
    [ -z "${GOOD:-}" ] || GOOD=$(absolute "$GOOD")
    cd "$here"
    demo "$@"
    ;;
test) cd "$here" && run_all_tests ;;
build) cd "$here" && build ;;
*) usage >&2; exit 2 ;;
esac
