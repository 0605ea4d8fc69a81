#!/usr/bin/env python3
"""Make tests/format/data/torch-*.pt: small files as torch.save writes them, with the numbers that are in them beside
(torch-golden.safetensors, names "FILE:TENSOR"). Needs Debian's python3-torch:

    /usr/bin/python3 tools/make_torch_golden.py

  shared    one flat half-precision storage with views at offsets, as DeepSpeed leaves them; parameters
  views     transposed, strided, expanded, empty and scalar views
  module    state_dict() of a module with parameters and buffers (BUILD with _metadata)
  nested    {"epoch", "state_dict": {...}, "args"}
  model     {"model": {...}, "iter"}
  types     every element type that is read
  zip64     the entries of `shared` written again by Python's zipfile with every ZIP64 field that the format has
  old       the form before PyTorch 1.6, which is refused
"""
import collections
import json
import os
import struct
import zipfile

import torch

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "format", "data")
DTYPES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.float64: "F64", torch.int8: "I8",
          torch.uint8: "U8", torch.int16: "I16", torch.int32: "I32", torch.int64: "I64", torch.bool: "BOOL"}


def raw(x):
    x = x.detach().contiguous()
    return (x.view(torch.int16) if x.dtype == torch.bfloat16 else x).numpy().tobytes()


def write_safetensors(path, tensors):
    header, data = {}, b""
    for name, x in tensors.items():
        body = raw(x)
        header[name] = {"dtype": DTYPES[x.dtype], "shape": list(x.shape), "data_offsets": [len(data), len(data) + len(body)]}
        data += body
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def shared():
    flat = torch.randn(600).half()
    weight, bias = flat[8:200].view(16, 12), flat[200:216]
    state = collections.OrderedDict()
    state["fc.weight"] = torch.nn.Parameter(weight)
    state["fc.bias"] = torch.nn.Parameter(bias, requires_grad=False)
    state["again"] = flat[8:20]
    state["last"] = flat[598:]
    return state


def views():
    x = torch.arange(60, dtype=torch.float32).view(3, 4, 5)
    return {"whole": x, "transposed": x.transpose(0, 2), "permuted": x.permute(1, 2, 0), "column": x[:, :, 3],
            "step": x[0, ::2, 1::2], "expanded": torch.tensor([2.5, -1.0]).expand(3, 2), "scalar": x[1, 2, 3],
            "empty": x[:, 4:, :], "one": x[1:2, :, :], "thin": x[:, 1:2, :]}


def module():
    net = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3), torch.nn.Linear(5, 4, bias=False))
    with torch.no_grad():
        net[1].running_mean.uniform_()
    return net.state_dict()


def types():
    numbers = torch.tensor([[0, 1, 2], [3, 100, 127]])
    state = {DTYPES[d]: numbers.to(d) for d in DTYPES}
    state["BF16"] = torch.tensor([1.0, -3.140625, 1e30, 2.0 ** -126]).bfloat16()
    state["I64"] = torch.tensor([-2 ** 62, 5, 2 ** 40])
    return state


def save_zip64(source, path):
    """zipfile writes ZIP64 fields only where numbers are large: with its limits at 0 they all are."""
    limits = zipfile.ZIP64_LIMIT, zipfile.ZIP_FILECOUNT_LIMIT
    zipfile.ZIP64_LIMIT = zipfile.ZIP_FILECOUNT_LIMIT = 0
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as new:
        for name in old.namelist():
            info = zipfile.ZipInfo(name)
            with new.open(info, "w", force_zip64=True) as entry:
                entry.write(old.read(name))
    zipfile.ZIP64_LIMIT, zipfile.ZIP_FILECOUNT_LIMIT = limits


def main():
    torch.manual_seed(3)
    os.makedirs(OUT, exist_ok=True)
    golden = {}
    nested = {"w": torch.randn(2, 3), "b": torch.randn(3)}
    files = {"shared": (shared(), None), "views": (views(), None), "module": (module(), None), "types": (types(), None),
             "nested": ({"epoch": 3, "loss": 0.25, "note": None, "state_dict": nested, "list": [1, 2.0, "x", (1, 2)],
                         "best": True, "big": 2 ** 40, "below": -5}, nested),
             "model": ({"model": {"w": torch.ones(2).bfloat16()}, "iter": 70000}, {"w": torch.ones(2).bfloat16()})}
    for name, (data, state) in files.items():
        torch.save(data, os.path.join(OUT, f"torch-{name}.pt"))
        for key, x in (state or data).items():
            golden[f"{name}:{key}"] = x
    save_zip64(os.path.join(OUT, "torch-shared.pt"), os.path.join(OUT, "torch-zip64.pt"))
    for key, x in files["shared"][0].items():
        golden[f"zip64:{key}"] = x
    torch.save(nested, os.path.join(OUT, "torch-old.pt"), _use_new_zipfile_serialization=False)
    write_safetensors(os.path.join(OUT, "torch-golden.safetensors"), golden)


if __name__ == "__main__":
    main()
