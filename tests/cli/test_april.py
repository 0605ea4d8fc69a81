"""APRIL-GAN on a checkpoint of its published form, made here by PyTorch: the command's scores and maps against the same
arithmetic written with PyTorch on the tokens that the command dumps. And flaw train april-gan's wrong uses."""
import collections
import json
import os
import unittest

import command
from command import SOURCE

try:
    import numpy as np
    import torch
    import torch.nn.functional as F
except ImportError:
    torch = None

MODEL = os.path.join(SOURCE, 'tests', 'golden', 'data', 'clip-tiny', 'open_clip')
SIDE, GRID, WIDTH, JOINT = 32, 4, 24, 20
STAGES = (0, 0, 1, 2)  # blocks after each quarter of three
NORMAL = ('{}', 'flawless {}', 'perfect {}', 'unblemished {}', '{} without flaw', '{} without defect', '{} without damage')
ABNORMAL = ('damaged {}', 'broken {}', '{} with flaw', '{} with defect', '{} with damage')


def linears(seed):
    """What torch.save gets in the published training: {'trainable_linearlayer': state dict}."""
    torch.manual_seed(seed)
    fc = torch.nn.ModuleList([torch.nn.Linear(WIDTH, JOINT) for _ in range(4)])
    state = collections.OrderedDict(('fc.' + name, value) for name, value in fc.state_dict().items())
    return fc, state


@unittest.skipUnless(torch, 'PyTorch is not installed (python3-torch)')
class Published(command.Command):
    def tokens(self, picture):
        """(stages [4, P, D] without the class token, embedding [E] of unit length)"""
        self.succeed('embed', '--model', MODEL, '--image', picture, '--dump', 'dump.safetensors')
        with open(self.path('dump.safetensors'), 'rb') as file:
            data = file.read()
        size = int.from_bytes(data[:8], 'little')
        header = json.loads(data[8:8 + size])

        def read(name):
            begin, end = header[name]['data_offsets']
            return torch.tensor(np.frombuffer(data[8 + size + begin:8 + size + end], np.float32).copy()).view(header[name]['shape'])
        return [read(f'block{i}')[1:] for i in STAGES], F.normalize(read('cls').flatten(), dim=0)

    def texts(self, product):
        """[2, E]: mean of the unit embeddings of the sentences, of unit length again."""
        both = []
        for states in (NORMAL, ABNORMAL):
            rows = []
            for state in states:
                for article in ('a', 'the'):
                    out = self.succeed('embed', '--model', MODEL, '--text', f'a photo of {article} {state.format(product)}.')
                    rows.append([float(x) for x in out.split()])
            both.append(F.normalize(torch.tensor(rows).mean(0), dim=0))
        return torch.stack(both)

    def expected(self, fc, picture, texts, good=()):
        """(image score, map at the patches) of the published method, its sum over the stages as a mean."""
        stages, whole = self.tokens(picture)
        with torch.no_grad():
            score = (100 * texts @ whole).softmax(0)[1]
            patches = sum((100 * F.normalize(layer(x), dim=1) @ texts.T).softmax(1)[:, 1] for layer, x in zip(fc, stages)) / 4
        if good:
            banks = [torch.cat([self.tokens(g)[0][k] for g in good]) for k in range(4)]
            near = [(F.normalize(x, dim=1) @ F.normalize(b, dim=1).T).max(1).values for x, b in zip(stages, banks)]
            patches = patches + sum(1 - n for n in near) / 4
            score = (score + patches.max()) / 2
        return score.item(), patches.view(GRID, GRID).numpy()

    def compare(self, method, fc, texts, *arguments, good=()):
        status, lines, err = self.judge('--model', MODEL, '--method', method, '--object', 'bottle', '--out', 'out', *arguments,
                                        'new.png')
        self.assertEqual((status, err, lines[0]['method']), (0, [], method))
        score, patches = self.expected(fc, 'new.png', texts, good)
        self.assertAlmostEqual(lines[0]['score'], score, delta=1e-4)
        shape, values = command.npy(self.path('out/new_map.npy'))
        self.assertEqual(shape, (SIDE, SIDE))
        spread = F.interpolate(torch.tensor(patches)[None, None], size=SIDE, mode='bilinear', align_corners=False)
        self.assertLess(np.abs(np.array(values).reshape(SIDE, SIDE) - spread[0, 0].numpy()).max(), 1e-4)
        return lines[0]['score']

    def test_both(self):
        fc, state = linears(3)
        torch.save({'trainable_linearlayer': state}, self.path('april.pth'))
        for i in range(3):
            self.write(f'good/{i}.png', command.part(i, SIDE))
        self.write('new.png', command.part(9, SIDE, (10, 20)))
        texts = self.texts('bottle')
        zero = self.compare('april-gan', fc, texts, '--weights', 'april.pth')
        good = [f'good/{i}.png' for i in range(3)]
        few = self.compare('april-gan+', fc, texts, '--weights', 'april.pth', '--good', 'good', good=good)
        self.assertNotAlmostEqual(zero, few, places=3)
        # A recipe holds the layers: without the file it says the same.
        self.succeed('learn', '--model', MODEL, '--method', 'april-gan+', '--weights', 'april.pth', '--object', 'bottle', '--good',
                     'good', '-o', 'bottle.recipe')
        os.remove(self.path('april.pth'))
        status, lines, _ = self.judge('--model', MODEL, '--recipe', 'bottle.recipe', 'new.png')
        self.assertEqual((status, lines[0]['score']), (0, few))

    def test_refused(self):
        self.write('new.png', command.part(9, SIDE))
        use = ('inspect', '--model', MODEL, '--method', 'april-gan', 'new.png')
        self.fail_once(2, '--weights', *use)
        _, state = linears(1)
        state.pop('fc.3.bias')
        torch.save({'trainable_linearlayer': state}, self.path('short.pth'))
        self.fail_once(66, 'fc.3.bias', *use, '--weights', 'short.pth', words=('short.pth',))
        torch.save({'trainable_linearlayer': {'fc.0.weight': torch.zeros(JOINT, WIDTH)}}, self.path('one.pth'))
        self.fail_once(65, 'fewer stages', *use, '--weights', 'one.pth')
        self.fail_once(66, 'none.pth', *use, '--weights', 'none.pth')


class Train(command.Command):
    def test_wrong_use(self):
        self.fail_once(2, '--out', 'train', 'april-gan')
        self.fail_once(2, 'warm-up', 'train', 'april-gan', '--out', 'run', '--steps', '3', '--warmup', '3')
        self.fail_once(66, 'nowhere', 'train', 'april-gan', '--out', 'run', '--model', 'nowhere')


if __name__ == '__main__':
    unittest.main()
