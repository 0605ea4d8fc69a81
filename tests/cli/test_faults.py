"""Bad input: each fault is one line on standard error that names the file, the status is right, the rest is done."""
import json
import os
import struct
import unittest

import command
from command import PICTURES, SHARED, SOURCE, chunk, part, png


def read(path):
    with open(path, 'rb') as file:
        return file.read()


class BadPictures(command.Command):
    def check(self, name, status, *words):
        """Beside a good picture before and after it, the bad one is refused once, and is never called normal."""
        self.write('before.png', part(1))
        self.write('after.png', part(2))
        found, lines, err = self.judge('before.png', name, 'after.png', '--out', 'o')
        self.assertEqual((found, len(err)), (status, 1), err)
        self.assertIn(name, err[0])
        for word in words:
            self.assertIn(word, err[0])
        self.assertEqual([line['image'] for line in lines], ['before.png', name, 'after.png'])
        self.assertEqual(lines[1]['verdict'], 'unknown')
        self.assertTrue(lines[1]['doubt'])
        self.assertIsNone(lines[1]['score'])
        self.assertNotIn('files', lines[1])
        for line in (lines[0], lines[2]):
            self.assertIn(line['verdict'], ('normal', 'anomalous'))
        self.assertEqual(len(os.listdir(self.path('o'))), 6)

    def test_missing(self):
        self.check('nowhere.png', 66)

    def test_empty(self):
        self.check(self.write('empty.png', b''), 65)

    def test_truncated_png(self):
        data = part(3)
        self.check(self.write('cut.png', data[:len(data) // 2]), 65)

    def test_truncated_jpeg(self):
        data = read(os.path.join(PICTURES, 'rgb420.jpg'))
        self.check(self.write('cut.jpg', data[:len(data) // 2]), 65)

    def test_text_named_as_a_picture(self):
        self.check(self.write('words.jpg', b'these are words, not a picture\n' * 20), 65)

    def test_huge_claim(self):
        head = struct.pack('>IIBBBBB', 60000, 60000, 8, 2, 0, 0, 0)
        self.check(self.write('huge.png', b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', head) + chunk(b'IDAT', b'x') +
                              chunk(b'IEND', b'')), 65, '60000')

    def test_broken_checksum(self):
        data = bytearray(part(3))
        data[-20] ^= 1
        self.check(self.write('sum.png', bytes(data)), 65)

    def test_first_failure_decides_the_status(self):
        self.write('words.jpg', b'words')
        status, lines, err = self.judge('words.jpg', 'nowhere.png')
        self.assertEqual((status, len(err), len(lines)), (65, 2, 2))
        status, lines, err = self.judge('nowhere.png', 'words.jpg')
        self.assertEqual((status, len(err), len(lines)), (66, 2, 2))

    def test_a_failure_outranks_an_anomaly(self):
        self.write('a.png', part(1))
        self.assertEqual(self.judge('a.png', 'nowhere.png', '--threshold', '-1e9', '--fail-on-anomaly')[0], 66)

    def test_folder_without_pictures(self):
        self.write('empty/notes.txt', b'x')
        self.write('a.png', part(1))
        status, lines, err = self.judge('empty', 'a.png')
        self.assertEqual((status, len(err), len(lines)), (66, 1, 1))
        self.assertIn("'empty'", err[0])

    def test_odd_sizes_are_judged(self):
        self.write('dot.png', png(1, 1, lambda y: b'\x80\x80\x80'))
        self.write('line.png', png(20000, 3, lambda y: bytes(i // 79 & 255 for i in range(60000))))
        status, lines, err = self.judge('dot.png', 'line.png', '--out', 'o')
        self.assertEqual((status, err), (0, []))
        self.assertEqual(command.png_size(self.path('o/line_mask.png')), (20000, 3))
        self.assertEqual(command.npy(self.path('o/dot_map.npy'))[0], (1, 1))


class BadGoodParts(command.Command):
    def test_faults_of_good_parts_stop_before_judging(self):
        self.write('a.png', part(1))
        good = self.good_parts()
        self.write('good/words.png', b'words')
        out = self.fail_once(65, 'good/words.png', 'inspect', 'a.png', '--good', good, '--json')
        self.assertEqual(out, '')
        self.fail_once(66, 'nowhere', 'inspect', 'a.png', '--good', 'nowhere')
        self.write('none/notes.txt', b'x')
        self.fail_once(66, "'none'", 'inspect', 'a.png', '--good', 'none')


class BadModels(command.Command):
    def setUp(self):
        super().setUp()
        self.original = os.path.join(SHARED, 'golden', 'clip-small', 'hf')
        if not os.path.isdir(self.original):
            self.skipTest('no ../shared/golden/clip-small here')
        self.write('a.png', part(1))

    def copy(self, **changes):
        """The model folder with files replaced by name ('.' written as '__'), or left out by None."""
        changed = {name.replace('__', '.'): data for name, data in changes.items()}
        for name in os.listdir(self.original):
            data = changed.get(name, read(os.path.join(self.original, name)))
            if data is None:
                if os.path.exists(self.path('model/' + name)):
                    os.remove(self.path('model/' + name))
            else:
                self.write('model/' + name, data)
        return 'model'

    def refused(self, status, name, **changes):
        self.copy(**changes)
        out = self.fail_once(status, name, 'inspect', 'a.png', '--model', 'model', '--json')
        self.assertEqual(out, '')
        found, _, err = self.run_flaw('model', 'info', 'model')
        self.assertEqual((found, len(err)), (status, 1), err)

    def test_whole_copy_works(self):
        self.copy()
        self.assertEqual(self.judge('a.png', '--model', 'model')[0], 0)
        self.assertEqual(json.loads(self.succeed('model', 'info', 'model', '--json'))['whole'], True)

    def test_missing_files(self):
        self.fail_once(66, 'nowhere', 'inspect', 'a.png', '--model', 'nowhere')
        os.mkdir(self.path('bare'))
        status, _, err = self.run_flaw('inspect', 'a.png', '--model', 'bare')
        self.assertIn(status, (65, 66))
        self.assertIn('bare', err[0])
        self.refused(66, 'model', model__safetensors=None)

    def test_cut_and_lying_weights(self):
        weights = read(os.path.join(self.original, 'model.safetensors'))
        for data in (b'', weights[:7], weights[:100], weights[:len(weights) // 2], weights[:-1], weights + b'x',
                     struct.pack('<Q', 1 << 62) + weights[8:]):
            self.refused(65, 'model.safetensors', model__safetensors=data)

    def test_misshapen_missing_and_left_over_tensors(self):
        weights = read(os.path.join(self.original, 'model.safetensors'))
        size = struct.unpack('<Q', weights[:8])[0]
        header, body = json.loads(weights[8:8 + size]), weights[8 + size:]

        def rebuilt():
            text = json.dumps(header).encode()
            text += b' ' * (-len(text) % 8)
            return struct.pack('<Q', len(text)) + text + body
        name = 'vision_model.post_layernorm.weight'
        entry = header.pop(name)
        header['vision_model.stranger.weight'] = entry
        self.refused(65, 'model', model__safetensors=rebuilt())
        del header['vision_model.stranger.weight']
        header[name] = dict(entry, shape=[2, entry['shape'][0] // 2])
        self.refused(65, 'model', model__safetensors=rebuilt())

    def test_not_a_number_gives_no_verdict(self):
        weights = bytearray(read(os.path.join(self.original, 'model.safetensors')))
        size = struct.unpack('<Q', weights[:8])[0]
        entry = json.loads(weights[8:8 + size])['visual_projection.weight']
        at = 8 + size + entry['data_offsets'][0]
        weights[at:at + 2] = struct.pack('<e', float('nan'))
        self.assertEqual(entry['dtype'], 'F16')
        self.copy(model__safetensors=bytes(weights))
        status, lines, err = self.judge('a.png', '--model', 'model')
        self.assertEqual((status, len(err)), (65, 1), err)
        self.assertTrue(all(line['verdict'] == 'unknown' for line in lines))

    def test_configuration(self):
        self.refused(65, 'config.json', config__json=b'{"vision_config": ')
        self.refused(65, 'config.json', config__json=b'[]')


class BadWords(command.Command):
    def test_text_too_long(self):
        text = 'scratch ' * 100
        out = self.fail_once(65, 'scratch scratch', 'embed', '--text', text, '--json')
        self.assertEqual(len(json.loads(out)['embedding']) > 0, True)

    def test_prompt_files(self):
        self.write('a.png', part(1))
        self.write('broken.json', b'{"general": ')
        self.fail_once(65, 'broken.json', 'inspect', 'a.png', '--prompts', 'broken.json')
        self.fail_once(66, 'none.json', 'inspect', 'a.png', '--prompts', 'none.json')


    def test_lint(self):
        """The shipped files are clean; problems are lines of the report, with one line on standard error for each file."""
        shipped = os.path.join(SOURCE, 'models', 'prompts')
        files = sorted(os.path.join(shipped, name) for name in os.listdir(shipped) if name.endswith('.json'))
        self.assertGreaterEqual(len(files), 2)
        self.succeed('prompts', 'lint', *files)
        entry = {'class': 'bolt', 'normal': ['a good {}'] * 5, 'abnormal': ['a bad {}', 'a bent {}']}
        self.write('bad.json', json.dumps({'format': 'flaw-prompts', 'version': 1, 'entries': [entry]}).encode())
        out = self.fail_once(65, 'bad.json', 'prompts', 'lint', 'bad.json', files[0])
        self.assertIn('bad.json: bolt', out)
        self.assertIn(files[0] + ': no problems', out)
        self.fail_once(66, 'none.json', 'prompts', 'lint', 'none.json')


class BadPlaces(command.Command):
    def test_folder_that_cannot_be_made(self):
        self.write('a.png', part(1))
        self.write('file', b'in the way')
        self.fail_once(74, 'file/o', 'inspect', 'a.png', '--out', 'file/o')
        self.fail_once(74, "'file'", 'inspect', 'a.png', '--out', 'file')
        self.assertEqual(sorted(os.listdir(self.folder)), ['a.png', 'file'])

    def test_folder_that_takes_no_files(self):
        """One line for each picture, the verdict is still given, nothing half-written is left."""
        self.write('a.png', part(1))
        self.write('b.png', part(2))
        if not os.path.isdir('/proc/sys'):
            self.skipTest('no folder here that refuses files even to root')
        status, lines, err = self.judge('a.png', 'b.png', '--out', '/proc/sys')
        self.assertEqual((status, len(err), len(lines)), (74, 2, 2), err)
        for line in lines:
            self.assertIn(line['verdict'], ('normal', 'anomalous'))
            self.assertNotIn('files', line)

    def test_full_output(self):
        if not os.path.exists('/dev/full'):
            self.skipTest('no /dev/full here')
        self.write('a.png', part(1))
        clean = {k: v for k, v in os.environ.items() if not k.startswith('FLAW_')}
        import subprocess
        with open('/dev/full', 'w', encoding='utf-8') as full:
            done = subprocess.run([command.FLAW, 'inspect', '--json', 'a.png'], cwd=self.folder, env=clean, stdout=full,
                                  stderr=subprocess.PIPE, timeout=240, check=False)
        self.assertEqual(done.returncode, 74)
        self.assertEqual(len(done.stderr.splitlines()), 1)


if __name__ == '__main__':
    unittest.main()
