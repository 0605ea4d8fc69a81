"""PyTorch on the image tower of a bundle: requests a line on standard input, times on standard output (see
bench/README.md).

    python3 bench/peers/torch_tower.py BUNDLE f32|bf16 THREADS

Eager, no gradients, in batches; layers are torch's own (linear, layer_norm, gelu), attention as products and a softmax,
which is how it was written before fused attention; in bf16 weights and activations are bf16.
"""
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

import bundle


class Tower:
    def __init__(self, path, kind=torch.float32):
        weights, self.shape = bundle.read_bundle(path)
        self.kind = kind
        self.w = {name: torch.tensor(np.array(value, np.float32)).to(kind) for name, value in weights.items()
                  if name.startswith("image.")}
        image = self.shape["image"]
        self.heads, self.eps, self.side, self.patch = image["heads"], image["eps"], image["side"], image["patch"]
        self.width, self.blocks = image["width"], image["layers"]
        self.act = F.gelu if image["activation"] == "gelu" else lambda x: x * torch.sigmoid(1.702 * x)

    def norm(self, x, name):
        return F.layer_norm(x, (self.width,), self.w[name + ".w"], self.w[name + ".b"], self.eps)

    def embed(self, pixels):
        """[N, 3, S, S] -> [N, T, D] before the first norm."""
        kernel = self.w["image.patch.w"].view(self.width, 3, self.patch, self.patch)
        x = F.conv2d(pixels.to(self.kind), kernel, stride=self.patch).flatten(2).transpose(1, 2)
        first = self.w["image.cls"].expand(x.shape[0], 1, self.width)
        return torch.cat([first, x], 1) + self.w["image.position"]

    def block(self, x, i):
        n, t, d = x.shape
        p = f"image.block.{i}."
        qkv = F.linear(self.norm(x, p + "norm1"), self.w[p + "qkv.w"], self.w[p + "qkv.b"])
        q, k, v = qkv.view(n, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        a = torch.softmax(q @ k.transpose(-2, -1) * (d // self.heads) ** -0.5, -1) @ v
        x = x + F.linear(a.transpose(1, 2).reshape(n, t, d), self.w[p + "out.w"], self.w[p + "out.b"])
        h = self.act(F.linear(self.norm(x, p + "norm2"), self.w[p + "fc1.w"], self.w[p + "fc1.b"]))
        return x + F.linear(h, self.w[p + "fc2.w"], self.w[p + "fc2.b"])

    def tokens(self, embedded):
        """[N, T, D] from `embed`, or some of its tokens -> [N, T, D] after the last block."""
        x = self.norm(embedded, "image.pre")
        for i in range(self.blocks):
            x = self.block(x, i)
        return x

    def project(self, x):
        """[.., D] -> [.., E]"""
        return F.linear(self.norm(x, "image.post"), self.w["image.proj"])

    def classes(self, pixels):
        return self.project(self.tokens(self.embed(pixels))[:, 0])


def answer(name, precision, threads, requests):
    """Serve requests: name -> function(batch)."""
    print(f"ready name={name} precision={precision} threads={threads}", flush=True)
    for line in sys.stdin:
        words = line.split()
        if words[:1] == ["stop"]:
            return
        if not words or words[0] not in requests:
            print(f"error '{line.strip()}' is not understood", flush=True)
            continue
        batch, count = (int(word) for word in (words[1:] + ["1", "1"])[:2])
        times = []
        for _ in range(count):
            start = time.perf_counter()
            requests[words[0]](batch)
            times.append(f"{1e3 * (time.perf_counter() - start):.3f}")
        print("ms " + " ".join(times), flush=True)


def main():
    if len(sys.argv) != 4 or sys.argv[2] not in ("f32", "bf16"):
        sys.exit(__doc__)
    torch.set_num_threads(int(sys.argv[3]))
    tower = Tower(sys.argv[1], torch.float32 if sys.argv[2] == "f32" else torch.bfloat16)
    inputs = {}

    def run(batch):
        tower.classes(inputs.setdefault(batch, torch.rand(batch, 3, tower.side, tower.side) * 2 - 1))
    with torch.inference_mode():
        answer(f"torch-{torch.__version__}", sys.argv[2], sys.argv[3], {"run": run})


if __name__ == "__main__":
    main()
