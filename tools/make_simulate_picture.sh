#!/bin/sh
# Draw docs/images/simulate.png again: sh tools/make_simulate_picture.sh [BUILD]
# The contact sheet of three simulated pictures of the drawn metal nuts, packed to 256 colours (python3-pil).
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$build/flaw" simulate examples/metal-nut/good --object 'metal nut' -n 3 --seed 2 --out "$scratch"
mkdir -p docs/images
/usr/bin/python3 - "$scratch/contact.png" docs/images/simulate.png <<'PYTHON'
import sys
from PIL import Image
Image.open(sys.argv[1]).quantize(256, dither=Image.Dither.NONE).save(sys.argv[2], optimize=True)
PYTHON
