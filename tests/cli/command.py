"""What the tests of the command share: running it, and writing small pictures and files. Only Python's own library."""
import json
import os
import random
import shutil
import struct
import subprocess
import tempfile
import unittest
import zlib

FLAW = os.environ['FLAW_COMMAND']
SOURCE = os.environ['FLAW_SOURCE']
SHARED = os.environ['FLAW_SHARED']
PICTURES = os.path.join(SOURCE, 'tests', 'image', 'data')  # JPEG and PNG files of every kind


def chunk(name, data):
    return struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))


def png(width, height, row):
    """An 8-bit RGB PNG; row(y) gives the 3 * width bytes of a row."""
    lines = b''.join(b'\0' + row(y) for y in range(height))
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)) +
            chunk(b'IDAT', zlib.compress(lines, 1)) + chunk(b'IEND', b''))


def part(seed, size=96, spot=None):
    """A part: a shaded square with grain; `spot` (x, y) puts a dark stain on it."""
    grain = random.Random(seed)

    def row(y):
        out = bytearray()
        for x in range(size):
            value = 90 + 60 * x // size + 30 * y // size + grain.randrange(12)
            if spot and abs(x - spot[0]) < size // 10 and abs(y - spot[1]) < size // 10:
                value = 10
            out += bytes((value, value, min(255, value + 20)))
        return bytes(out)
    return png(size, size, row)


def png_size(path):
    """(width, height) of a PNG file, from its header."""
    with open(path, 'rb') as file:
        head = file.read(24)
    if head[:8] != b'\x89PNG\r\n\x1a\n':
        raise ValueError(f'{path} is no PNG')
    return struct.unpack('>II', head[16:24])


def npy(path):
    """(shape, values) of a float32 .npy file."""
    with open(path, 'rb') as file:
        data = file.read()
    if data[:8] != b'\x93NUMPY\x01\x00':
        raise ValueError(f'{path} is no .npy of version 1')
    length = struct.unpack('<H', data[8:10])[0]
    header = data[10:10 + length].decode('latin-1')
    if "'<f4'" not in header or "'fortran_order': False" not in header:
        raise ValueError(header)
    shape = tuple(int(n) for n in header.split('(')[1].split(')')[0].split(',') if n.strip())
    return shape, struct.unpack(f'<{(len(data) - 10 - length) // 4}f', data[10 + length:])


class Command(unittest.TestCase):
    """Each test in a folder of its own, which is the current one of every command it runs."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='flaw-test-')
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, data):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as file:
            file.write(data)
        return name

    def good_parts(self, count=3, folder='good'):
        for i in range(count):
            self.write(f'{folder}/{i}.png', part(i))
        return folder

    def run_flaw(self, *arguments, **environment):
        """(exit status, standard output, lines of standard error). Variables of the caller's flaw do not leak in."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith('FLAW_')}
        clean.update(environment)
        done = subprocess.run([FLAW, *arguments], cwd=self.folder, env=clean, capture_output=True, timeout=240, check=False)
        self.assertGreaterEqual(done.returncode, 0, f'ended by signal {-done.returncode}: {done.stderr}')
        return done.returncode, done.stdout.decode('utf-8'), done.stderr.decode('utf-8', 'replace').splitlines()

    def succeed(self, *arguments, **environment):
        status, out, err = self.run_flaw(*arguments, **environment)
        self.assertEqual((status, err), (0, []))
        return out

    def levels(self):
        """Kernel levels of this machine, as the refusal of an unknown one lists them."""
        _, _, err = self.run_flaw('bench', FLAW_CPU='none')
        return err[0].split('allowed here are auto, ')[1].split(', ')

    def judge(self, *arguments, **environment):
        """(exit status, parsed JSON lines, lines of standard error) of flaw inspect --json."""
        status, out, err = self.run_flaw('inspect', '--json', *arguments, **environment)
        return status, [json.loads(line) for line in out.splitlines()], err

    def fail_once(self, status, name, *arguments, words=(), **environment):
        """The command ends with `status` and exactly one line on standard error that names `name`."""
        found, out, err = self.run_flaw(*arguments, **environment)
        self.assertEqual((found, len(err)), (status, 1), f'{arguments}: {err}')
        self.assertIn(name, err[0])
        for word in words:
            self.assertIn(word, err[0])
        return out
