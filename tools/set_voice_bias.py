"""Set the bias of a voice in a bundle: python3 tools/set_voice_bias.py BUNDLE BIAS

The bias is added to the decoder's logits (flaw_voice_shape.bias). It is chosen on drawn scenes of held-out kinds that are used for
nothing else, by `flaw ablation` (row "decoder, prompt learner", yes/no); CARD.md has the table.
"""
import json
import os
import struct
import sys


def main():
    path, bias = sys.argv[1], float(sys.argv[2])
    with open(path, "rb") as file:
        data = file.read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    voice = json.loads(header["__metadata__"]["voice"])
    voice["bias"] = bias
    header["__metadata__"]["voice"] = json.dumps(voice)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path + ".new", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data[8 + size:])
    os.replace(path + ".new", path)


if __name__ == "__main__":
    main()
