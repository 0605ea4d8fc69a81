"""Reading and writing of flaw bundles (safetensors with the model's shape in the metadata "flaw"), for the peers."""
import json
import struct

import numpy as np

KINDS = {"F32": np.float32, "F16": np.float16}


def read_tensors(path):
    """(name -> array over the mapped file, metadata)."""
    with open(path, "rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(size))
    data = np.memmap(path, np.uint8, "r", 8 + size)
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        first, last = entry["data_offsets"]
        if entry["dtype"] == "BF16":
            wide = data[first:last].view(np.uint16).astype(np.uint32) << 16
            tensors[name] = wide.view(np.float32).reshape(entry["shape"])
        else:
            tensors[name] = data[first:last].view(KINDS[entry["dtype"]]).reshape(entry["shape"])
    return tensors, header.get("__metadata__", {})


def read_bundle(path):
    """(name -> array, shape) of a flaw bundle."""
    tensors, metadata = read_tensors(path)
    return tensors, json.loads(metadata["flaw"])


def write_bundle(path, shapes, fill, shape):
    """shapes: name -> dimensions. fill(name, dimensions) gives the float32 values, one tensor in memory at a time."""
    header, at = {"__metadata__": {"flaw": json.dumps(shape), "merges": "#version: 0.2\n"}}, 0
    for name, dimensions in shapes.items():
        size = 4 * int(np.prod(dimensions))
        header[name] = {"dtype": "F32", "shape": list(dimensions), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 64)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name, dimensions in shapes.items():
            file.write(np.ascontiguousarray(fill(name, dimensions), np.float32).tobytes())
