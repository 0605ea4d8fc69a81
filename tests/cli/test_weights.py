"""flaw model merge-delta, convert, quantize: sums against Python's own half floats, names that do not fit, memory, and
what is left behind."""
import json
import math
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
import unittest
import zipfile

import command
from command import FLAW, SHARED

CONFIG = {'architectures': ['LlamaForCausalLM'], 'model_type': 'llama', 'hidden_size': 8, 'vocab_size': 6}


def halves(count, seed, scale=1.0):
    """Random F16 numbers, as bytes."""
    source = random.Random(seed)
    return b''.join(struct.pack('<e', source.gauss(0, scale)) for _ in range(count))


def write_safetensors(path, tensors):
    """tensors: {name: (dtype, shape, bytes)}."""
    header, data = {}, b''
    for name, (dtype, shape, body) in tensors.items():
        header[name] = {'dtype': dtype, 'shape': shape, 'data_offsets': [len(data), len(data) + len(body)]}
        data += body
    text = json.dumps(header).encode()
    with open(path, 'wb') as file:
        file.write(struct.pack('<Q', len(text)) + text + data)


def read_safetensors(path):
    """({name: (dtype, shape, bytes)}, metadata)"""
    with open(path, 'rb') as file:
        whole = file.read()
    length = struct.unpack('<Q', whole[:8])[0]
    header, data = json.loads(whole[8:8 + length]), whole[8 + length:]
    metadata = header.pop('__metadata__', {})
    return {name: (x['dtype'], x['shape'], data[x['data_offsets'][0]:x['data_offsets'][1]])
            for name, x in header.items()}, metadata


def text(word):
    return b'X' + struct.pack('<I', len(word)) + word.encode()


def numbers(values):
    return b'(' + b''.join(b'J' + struct.pack('<i', value) for value in values) + b't'


def write_torch(path, tensors):
    """The same as torch.save of a state dict."""
    pickle = b'\x80\x02}('
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_STORED) as archive:
        for key, (name, (dtype, shape, body)) in enumerate(tensors.items()):
            storage, size = {'F16': (b'Half', 2), 'BF16': (b'BFloat16', 2), 'F32': (b'Float', 4)}[dtype]
            strides = [math.prod(shape[i + 1:]) for i in range(len(shape))]
            pickle += (text(name) + b'ctorch._utils\n_rebuild_tensor_v2\n((' + text('storage') + b'ctorch\n' + storage +
                       b'Storage\n' + text(str(key)) + text('cpu') + b'J' + struct.pack('<i', len(body) // size) + b'tQK\x00' +
                       numbers(shape) + numbers(strides) + b'\x89ccollections\nOrderedDict\n)RtR')
            archive.writestr(f'archive/data/{key}', body)
        archive.writestr('archive/data.pkl', pickle + b'u.')


def model(seed, vocab=5, width=8):
    """A LLaMA of one layer's worth of names, F16."""
    shapes = {'model.embed_tokens.weight': [vocab, width], 'model.layers.0.self_attn.q_proj.weight': [width, width],
              'model.layers.0.input_layernorm.weight': [width], 'model.norm.weight': [width],
              'lm_head.weight': [vocab, width]}
    return {name: ('F16', shape, halves(math.prod(shape), f'{seed} {name}')) for name, shape in shapes.items()}


def summed(base, delta):
    """Both as bytes of F16; the base may be shorter."""
    count = len(delta) // 2
    x = struct.unpack(f'<{count}e', base + bytes(len(delta) - len(base)))
    y = struct.unpack(f'<{count}e', delta)
    return b''.join(struct.pack('<e', a + b) for a, b in zip(x, y))


def is_sanitized():
    """The address sanitizer keeps shadow memory of its own: nothing can be said of ours."""
    with open(FLAW, 'rb') as file:
        return b'__asan_init' in file.read()


class Weights(command.Command):
    def write_beside(self, folder):
        self.write(f'{folder}/config.json', json.dumps(CONFIG).encode())
        self.write(f'{folder}/tokenizer.model', b'pieces')
        self.write(f'{folder}/special_tokens_map.json', b'{}')
        self.write(f'{folder}/README.md', b'not for the result')

    def shards(self, folder, tensors, ending, writer):
        """Two files and their index."""
        os.makedirs(self.path(folder), exist_ok=True)
        names, where = list(tensors), {}
        for part, chosen in enumerate((names[:2], names[2:])):
            file = f'weights-{part}{ending}'
            writer(self.path(f'{folder}/{file}'), {name: tensors[name] for name in chosen})
            where.update({name: file for name in chosen})
        self.write(f'{folder}/weights{ending}.index.json', json.dumps({'weight_map': where}).encode())

    def prepare(self, base=None, delta=None):
        base, delta = base or model(1), delta or model(2, vocab=6)
        self.shards('base', base, '.bin', write_torch)
        self.shards('delta', delta, '.safetensors', write_safetensors)
        self.write_beside('delta')
        return base, delta

    def refuse(self, status, name, *words):
        self.fail_once(status, name, 'model', 'merge-delta', 'base', 'delta', '-o', 'out', words=words)
        self.assertFalse(os.path.exists(self.path('out/model.safetensors')))

    def test_sum(self):
        base, delta = self.prepare()
        self.succeed('model', 'merge-delta', 'base', 'delta', '--output', 'out')
        merged, metadata = read_safetensors(self.path('out/model.safetensors'))
        self.assertEqual(set(merged), set(delta))
        self.assertEqual(metadata['format'], 'pt')
        for name, (dtype, shape, body) in merged.items():
            self.assertEqual((dtype, shape), ('F16', delta[name][1]))
            self.assertEqual(body, summed(base[name][2], delta[name][2]), name)
        self.assertEqual(sorted(os.listdir(self.path('out'))),
                         ['config.json', 'model.safetensors', 'special_tokens_map.json', 'tokenizer.model'])
        # The row of the added token is the delta's.
        self.assertEqual(merged['lm_head.weight'][2][-16:], delta['lm_head.weight'][2][-16:])

    def test_frequencies_are_left_out(self):
        base, delta = model(1), model(2)
        base['model.layers.0.self_attn.rotary_emb.inv_freq'] = ('F16', [4], halves(4, 1))
        self.prepare(base, delta)
        self.succeed('model', 'merge-delta', 'base', 'delta', '-o', 'out')
        merged, _ = read_safetensors(self.path('out/model.safetensors'))
        self.assertEqual(set(merged), set(delta))

    def test_names_that_do_not_fit(self):
        base, delta = model(1), model(2)
        del delta['model.norm.weight']
        delta['model.extra'] = ('F16', [1], halves(1, 1))
        delta['lm_head.weight'] = ('F16', [4, 8], halves(32, 1))
        self.prepare(base, delta)
        self.refuse(65, 'delta', '1 misshapen', 'missing model.norm.weight', 'left over model.extra',
                    'lm_head.weight: base 5 8, delta 4 8')
        self.assertFalse(os.path.exists(self.path('out')))

    def test_only_token_rows_may_be_more(self):
        base, delta = model(1), model(2)
        delta['model.layers.0.self_attn.q_proj.weight'] = ('F16', [9, 8], halves(72, 1))
        self.prepare(base, delta)
        self.refuse(65, 'q_proj.weight: base 8 8, delta 9 8')

    def test_what_is_no_number(self):
        base, delta = model(1), model(2)
        delta['model.norm.weight'] = ('F16', [8], halves(7, 1) + b'\x00\x7c')
        self.prepare(base, delta)
        self.refuse(65, 'model.norm.weight', 'element 7 is infinite')
        base, delta = model(1), model(2)
        base['model.norm.weight'] = delta['model.norm.weight'] = ('F16', [8], struct.pack('<e', 65000) * 8)
        self.prepare(base, delta)
        self.refuse(65, 'model.norm.weight', 'element 0 of the sum is 129984', 'too large for F16')

    def test_files_beside_are_needed(self):
        self.prepare()
        os.remove(self.path('delta/tokenizer.model'))
        self.refuse(66, 'delta', 'tokenizer.model')
        os.remove(self.path('delta/config.json'))
        self.refuse(66, 'config.json')

    def test_wrong_use(self):
        self.prepare()
        for words in (['base', 'delta'], ['base', '-o', 'out'], ['base', 'delta', 'more', '-o', 'out'],
                      ['base', 'delta', '-o', 'delta'], ['base', 'delta', '-o', 'base/../base']):
            self.fail_once(2, 'flaw: ', 'model', 'merge-delta', *words)
        self.assertFalse(os.path.exists(self.path('base/model.safetensors')))
        self.fail_once(66, 'none', 'model', 'merge-delta', 'none', 'delta', '-o', 'out')

    def large(self):
        """Two models of 44 MB; numbers are small, so that no sum overflows."""
        shapes = {'model.embed_tokens.weight': [40000, 128], 'lm_head.weight': [40000, 128],
                  'model.layers.0.self_attn.q_proj.weight': [1024, 5000], 'model.layers.1.self_attn.q_proj.weight': [5000, 1400]}
        pattern = halves(1 << 16, 5) * 110
        for folder, rows in (('base', 0), ('delta', 1)):
            tensors = {}
            for name, shape in shapes.items():
                if '.layers' not in name:
                    shape = [shape[0] + rows, shape[1]]
                tensors[name] = ('F16', shape, pattern[:2 * math.prod(shape)])
            os.makedirs(self.path(folder), exist_ok=True)
            write_safetensors(self.path(f'{folder}/model.safetensors'), tensors)
        self.write_beside('delta')

    def peak(self, *words):
        """Largest memory of a run in megabytes: its own (anonymous), and with the pages of files that the system keeps mapped
        around what is read. Looked at all the time, as fast as the system tells; None where it does not."""
        own, whole, looks = 0, 0, 0
        with open(self.path('said.txt'), 'wb') as said:
            process = subprocess.Popen([FLAW, *words], cwd=self.folder, stdout=said, stderr=said)
        while process.poll() is None:
            try:
                with open(f'/proc/{process.pid}/smaps_rollup', encoding='ascii') as file:
                    kib = dict(re.findall(r'^(\w+): *(\d+) kB', file.read(), re.M))
            except OSError:  # it has just ended
                continue
            if kib:
                own, whole, looks = max(own, int(kib['Anonymous'])), max(whole, int(kib['Rss'])), looks + 1
            time.sleep(0.0005)
        with open(self.path('said.txt'), encoding='utf-8', errors='replace') as said:
            self.assertEqual(process.returncode, 0, said.read())
        return (own / 1000, whole / 1000, looks) if looks else None

    def bounded(self, megabytes, *words):
        used = self.peak(*words)
        if used is None:
            self.skipTest('this system does not tell the memory of a process')
        print(f'{words[1]} {" ".join(words[4:])}: {used[0]:.1f} MB of its own, {used[1]:.1f} MB with files, {used[2]} looks')
        if not is_sanitized():
            self.assertLess(used[0], megabytes)
            self.assertLess(used[1], 40)
            self.assertGreater(used[2], 5)

    def test_memory(self):
        self.large()
        self.bounded(12, 'model', 'merge-delta', 'base', 'delta', '-o', 'out')
        self.assertGreater(os.path.getsize(self.path('out/model.safetensors')), 44e6)

    def language(self):
        """A LLaMA of 58 MB: 29 million weights."""
        width, hidden, layers, vocab = 512, 1408, 4, 16000
        pattern = halves(1 << 16, 7) * 130
        shapes = {'model.embed_tokens.weight': [vocab, width], 'lm_head.weight': [vocab, width], 'model.norm.weight': [width]}
        for i in range(layers):
            at = f'model.layers.{i}.'
            shapes.update({at + f'self_attn.{x}_proj.weight': [width, width] for x in 'qkvo'})
            shapes.update({at + f'mlp.{x}_proj.weight': [hidden, width] for x in ('gate', 'up')})
            shapes.update({at + 'mlp.down_proj.weight': [width, hidden], at + 'input_layernorm.weight': [width],
                           at + 'post_attention_layernorm.weight': [width]})
        os.makedirs(self.path('llama'))
        write_safetensors(self.path('llama/model.safetensors'),
                          {name: ('F16', shape, pattern[:2 * math.prod(shape)]) for name, shape in shapes.items()})
        self.write('llama/config.json', json.dumps({
            'architectures': ['LlamaForCausalLM'], 'model_type': 'llama', 'hidden_size': width, 'intermediate_size': hidden,
            'num_hidden_layers': layers, 'num_attention_heads': 8, 'vocab_size': vocab,
            'max_position_embeddings': 64}).encode())

    def test_memory_of_conversion(self):
        self.language()
        self.bounded(12, 'model', 'convert', 'llama', '-o', 'whole')
        self.bounded(12, 'model', 'quantize', 'llama', '-o', 'int8', '--keep', 'int8')
        self.bounded(12, 'model', 'quantize', 'whole', '-o', 'int4', '--keep', 'int4')
        sizes = {name: os.path.getsize(self.path(name)) / 1e6 for name in ('whole', 'int8', 'int4')}
        self.assertAlmostEqual(sizes['whole'], 58.5, delta=1)
        self.assertAlmostEqual(sizes['int8'], 58.5 * 34 / 64, delta=1)
        self.assertLess(sizes['int4'], 27)

    def test_stories(self):
        """A GGUF file and its conversions tell the same story."""
        model = os.path.join(SHARED, 'models/stories260K/stories260K-f32.gguf')
        if not os.path.exists(model):
            self.skipTest(f'{model} is not here')
        words = ['complete', '--max-tokens', '60', 'Once upon a time']
        story = self.succeed(*words, '--model', model)
        self.succeed('model', 'convert', model, '-o', 'story.flaw')
        self.assertEqual(self.succeed(*words, '--model', 'story.flaw'), story)
        self.succeed('model', 'quantize', 'story.flaw', '-o', 'story.flaw', '--keep', 'int8')  # in its own place
        self.assertLess(os.path.getsize(self.path('story.flaw')), 400e3)
        self.assertTrue(self.succeed(*words, '--model', 'story.flaw').startswith(story[:20]))

    def test_towers_in_other_files(self):
        """A CLIP folder whose weights are PyTorch's or cut into shards is the same model."""
        tiny = os.path.join(command.SOURCE, 'tests/golden/data/clip-tiny')
        tensors, _ = read_safetensors(f'{tiny}/hf/model.safetensors')
        words = ['embed', '--json', '--text', 'a bottle', '--model']
        for folder, kind, weights in (('shards', 'hf', 'model.safetensors'), ('bins', 'hf', 'pytorch_model.bin'),
                                      ('bin', 'hf', 'pytorch_model.bin'),
                                      ('open', 'open_clip', 'open_clip_pytorch_model.bin')):
            shutil.copytree(f'{tiny}/{kind}', self.path(folder), ignore=shutil.ignore_patterns('*.safetensors'))
            writer = write_safetensors if weights.endswith('s') else write_torch
            if kind == 'open_clip':
                writer(self.path(f'{folder}/{weights}'), read_safetensors(f'{tiny}/{kind}/open_clip_model.safetensors')[0])
            elif folder == 'bin':
                writer(self.path(f'{folder}/{weights}'), tensors)
            else:
                self.shards(folder, tensors, '.' + weights.split('.')[1], writer)
                os.rename(self.path(f'{folder}/weights.{weights.split(".")[1]}.index.json'),
                          self.path(f'{folder}/{weights}.index.json'))
            self.assertEqual(self.succeed(*words, folder), self.succeed(*words, f'{tiny}/{kind}'))

    def test_conversion_refused(self):
        self.fail_once(2, '--output', 'model', 'convert', 'llama')
        self.fail_once(2, '--keep', 'model', 'quantize', 'llama', '-o', 'out')
        self.fail_once(2, 'int9', 'model', 'convert', 'llama', '-o', 'out', '--keep', 'int9')
        self.fail_once(2, 'more', 'model', 'convert', 'llama', 'more', '-o', 'out')
        self.fail_once(66, 'llama', 'model', 'convert', 'llama', '-o', 'out')
        if self.deit():
            self.fail_once(2, 'no language model', 'model', 'quantize', 'deit', '-o', 'out', '--keep', 'int8')

    def deit(self):
        """A link to towers alone."""
        path = os.path.join(SHARED, 'models/deit-tiny')
        if os.path.exists(path):
            os.symlink(path, self.path('deit'))
        return os.path.exists(path)

    def test_killed(self):
        """Whatever stops it: no half model under the final name, and a second run puts it right."""
        self.large()
        child = subprocess.Popen([FLAW, 'model', 'merge-delta', 'base', 'delta', '-o', 'out'], cwd=self.folder)
        until = time.monotonic() + 20
        while not any(name.endswith('.tmp') for name in self.listed('out')) and time.monotonic() < until:
            time.sleep(0.001)
        child.send_signal(signal.SIGKILL)
        child.wait()
        names = self.listed('out')
        if child.returncode == -signal.SIGKILL:
            self.assertNotIn('model.safetensors', names)
        self.succeed('model', 'merge-delta', 'base', 'delta', '-o', 'out')
        self.assertIn('model.safetensors', self.listed('out'))

    def listed(self, folder):
        return os.listdir(self.path(folder)) if os.path.isdir(self.path(folder)) else []


if __name__ == '__main__':
    unittest.main()
