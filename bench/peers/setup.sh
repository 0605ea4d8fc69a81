#!/bin/sh
# What the side-by-side measurements need, by one command: sh bench/peers/setup.sh [BUILD [TOWER...]]
# ONNX Runtime from npm, the random towers (b and l) and their ONNX graphs (about 5 GB with l), into BUILD/peers.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${1:-$here/../../build}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- b l
python=${PYTHON:-/usr/bin/python3}
out=$build/peers

for module in torch onnx numpy; do
    "$python" -c "import $module" 2>/dev/null || {
        echo "setup.sh: no $module for $python; Debian has it as python3-$module" >&2
        exit 69
    }
done
command -v npm >/dev/null || { echo 'setup.sh: no npm; Debian has it as npm' >&2; exit 69; }
mkdir -p "$out"
# Its own scripts would only fetch what graphics cards need.
[ -d "$out/node_modules/onnxruntime-node" ] ||
    npm install --prefix "$out" --ignore-scripts --no-audit --no-fund --no-save onnxruntime-node@1.30.0
for tower in "$@"; do
    [ -f "$out/$tower.safetensors" ] || "$python" "$here/make_towers.py" "$out" "$tower"
    for precision in f32 int8; do
        [ -f "$out/$tower-$precision.onnx" ] ||
            "$python" "$here/make_onnx.py" "$out/$tower.safetensors" "$out/$tower-$precision.onnx" "$precision"
    done
done
echo "ready: $out"
