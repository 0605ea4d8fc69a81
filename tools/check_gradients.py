#!/usr/bin/env python3
"""The trainer's losses and gradients against PyTorch, from the same start.

    check_gradients.py DUMP_GRADIENTS

DUMP_GRADIENTS is the test program that writes a tiny CLIP, a batch, and the losses and gradients of the C trainer to a
file. The same network is written here with PyTorch's own operations. Every gradient array must agree within 1e-3 of
its norm, every loss within 1e-4. Exit status 77 (skipped) where PyTorch is not installed (Debian: python3-torch).
"""
import json
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
    import torch.nn.functional as F
except ImportError:
    SYSTEM = '/usr/bin/python3'  # where Debian's packages are, if another Python comes first in the path
    if sys.executable != SYSTEM and os.path.exists(SYSTEM) and not os.environ.get('FLAW_SYSTEM_PYTHON'):
        os.execve(SYSTEM, [SYSTEM] + sys.argv, dict(os.environ, FLAW_SYSTEM_PYTHON='1'))
    print('skipped: PyTorch is not installed (python3-torch)')
    sys.exit(77)

PAIRS, SENTENCES, PEAK = 3, 2, 4
HEADS = {'image': 3, 'text': 2}
STAGES = [0, 1, 2, 3]
EPS = 1e-5


def read_safetensors(path):
    with open(path, 'rb') as f:
        data = f.read()
    size = int.from_bytes(data[:8], 'little')
    header = json.loads(data[8:8 + size])
    kinds = {'F32': np.float32, 'I32': np.int32, 'U8': np.uint8}
    out = {}
    for name, t in header.items():
        if name == '__metadata__':
            continue
        begin, end = t['data_offsets']
        out[name] = np.frombuffer(data[8 + size + begin:8 + size + end], kinds[t['dtype']]).reshape(t['shape'])
    return out


def norm(x, w, prefix):
    return F.layer_norm(x, x.shape[-1:], w[prefix + '.w'].flatten(), w[prefix + '.b'].flatten(), EPS)


def linear(x, w, prefix):
    return F.linear(x, w[prefix + '.w'], w[prefix + '.b'].flatten())


def block(x, w, prefix, heads, causal, act):
    n, t, d = x.shape
    q, k, v = linear(norm(x, w, prefix + '.norm1'), w, prefix + '.qkv').view(n, t, 3, heads, d // heads).permute(2, 0, 3, 1, 4)
    scores = q @ k.transpose(-1, -2) / (d // heads) ** 0.5
    if causal:
        scores = scores + torch.full((t, t), float('-inf'), dtype=x.dtype).triu(1)
    x = x + linear((scores.softmax(-1) @ v).transpose(1, 2).reshape(n, t, d), w, prefix + '.out')
    return x + linear(act(linear(norm(x, w, prefix + '.norm2'), w, prefix + '.fc1')), w, prefix + '.fc2')


def image_tower(w, pixels):
    n, d = pixels.shape[0], w['image.cls'].numel()
    x = F.conv2d(pixels, w['image.patch.w'].view(d, 3, 4, 4), w['image.patch.b'].flatten(), stride=4).flatten(2).transpose(1, 2)
    x = torch.cat([w['image.cls'].view(1, 1, d).expand(n, 1, d), x], 1) + w['image.position']
    x = norm(x, w, 'image.pre')
    stages = []
    for i in range(4):
        x = block(x, w, 'image.block.%d' % i, HEADS['image'], False, F.gelu)
        stages.append(x)
    cls = F.linear(norm(x[:, 0], w, 'image.post'), w['image.proj'])
    local = sum(F.linear(norm(s[:, 1:], w, 'local.%d.norm' % i), w['local.%d.w' % i]) for i, s in enumerate(stages))
    return cls, local + w['local.b'].flatten(), stages


def text_tower(w, ids, end):
    x = w['text.token'][ids] + w['text.position']
    for i in range(2):
        x = block(x, w, 'text.block.%d' % i, HEADS['text'], True, lambda v: v * torch.sigmoid(1.702 * v))
    return F.linear(norm(x[torch.arange(len(end)), end], w, 'text.final'), w['text.proj'])


def focal(z, t, gamma):
    p = torch.sigmoid(z)
    return ((t - p).abs() ** gamma * F.binary_cross_entropy_with_logits(z, t, reduction='none')).mean()


def contrast_loss(cls, captions, group, scale):
    logits = scale * F.normalize(cls, dim=-1) @ F.normalize(captions, dim=-1).T
    same = (group[:, None] == group[None, :]).to(cls.dtype)
    target = same / same.sum(1, keepdim=True)
    return -((target * logits.log_softmax(1)).sum(1).mean() + (target * logits.T.log_softmax(1)).sum(1).mean()) / 2


def losses(w, d):
    """The six terms, not weighted, in the order of flaw_train_weights."""
    n = 2 * PAIRS
    pixels = torch.tensor(d['pixels'], dtype=torch.float64).view(n, 3, 16, 16)
    target = torch.tensor(d['target'], dtype=torch.float64)
    cls, local, stages = image_tower(w, pixels)
    texts = text_tower(w, torch.tensor(d['ids']).long(), torch.tensor(d['end'].flatten()).long())
    scale = w['logit_scale'].flatten().exp()
    total = dict.fromkeys(('state', 'peak', 'local', 'dice'), 0)
    for pair in range(PAIRS):
        rows = F.normalize(texts[n + pair * 2 * SENTENCES:n + (pair + 1) * 2 * SENTENCES], dim=-1)
        normal, abnormal = (F.normalize(rows[i * SENTENCES:(i + 1) * SENTENCES].mean(0), dim=-1) for i in range(2))
        for which in range(2):
            i = 2 * pair + which
            state = torch.tensor([float(which)], dtype=torch.float64)
            z = scale * (F.normalize(cls[i], dim=-1) @ (abnormal - normal))
            patch = scale * (F.normalize(local[i], dim=-1) @ (abnormal - normal))
            total['state'] += F.binary_cross_entropy_with_logits(z, state) / n
            peak = patch.topk(PEAK).values.mean().view(1)
            total['peak'] += F.binary_cross_entropy_with_logits(peak, state) / n
            total['local'] += focal(patch, target[i], 2) / n
            if which:
                p = patch.sigmoid()
                total['dice'] += (1 - (2 * (p * target[i]).sum() + 1) / (p.sum() + target[i].sum() + 1)) / PAIRS
    teacher = [torch.tensor(d['teacher/%d' % i], dtype=torch.float64).view_as(s) for i, s in enumerate(stages)]
    distil = sum((1 - F.cosine_similarity(s, t, dim=-1)).mean() for s, t in zip(stages, teacher)) / len(stages)
    contrast = contrast_loss(cls, texts[:n], torch.tensor(d['group'].flatten()), scale)
    return [contrast, total['state'], total['peak'], total['local'], total['dice'], distil]


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'dump.safetensors')
        subprocess.run([sys.argv[1], path], check=True)
        d = read_safetensors(path)
    w = {k[2:]: torch.tensor(v, dtype=torch.float64, requires_grad=True) for k, v in d.items() if k.startswith('w/')}
    weighted = [v * float(f) for v, f in zip(losses(w, d), d['weight'].flatten())]
    sum(weighted).sum().backward()
    bad = []
    for name, ours, theirs in zip(('contrast', 'state', 'peak', 'local', 'dice', 'distil'), d['loss'].flatten(), weighted):
        gap = abs(float(ours) - float(theirs)) / max(abs(float(theirs)), 1e-6)
        print('loss %-10s %.6f  PyTorch %.6f  off by %.1e' % (name, ours, float(theirs), gap))
        if not gap < 1e-4:
            bad.append('loss ' + name)
    worst = 0.0
    for name, p in w.items():
        ours, theirs = torch.tensor(d['g/' + name], dtype=torch.float64), p.grad
        gap = float((ours - theirs).norm() / theirs.norm().clamp_min(1e-12))
        worst = max(worst, gap)
        if not gap < 1e-3:
            bad.append('gradient of %s: off by %.1e' % (name, gap))
    print('%d gradient arrays, worst relative distance %.1e' % (len(w), worst))
    for line in bad:
        print('WRONG: ' + line)
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
