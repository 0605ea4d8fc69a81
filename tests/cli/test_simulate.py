"""flaw simulate: a data set that flaw eval reads, with dialogues and masks that fit its pictures."""
import json
import os
import subprocess
import unittest

import command
from command import SHARED, part, png_size

PLACES = {f'{a} {b}' for a in ('top', 'bottom') for b in ('left', 'right')} | {'top', 'left', 'center', 'right', 'bottom'}


class Simulate(command.Command):
    def simulate(self, *arguments):
        return self.succeed('simulate', *arguments, '--out', 'set')

    def lines(self):
        with open(self.path('set/dialogues.jsonl'), encoding='utf-8') as file:
            return [json.loads(line) for line in file]

    def listed(self, folder):
        return sorted(os.listdir(self.path(f'set/{folder}')))

    def check_line(self, line):
        width, height = png_size(self.path('set/' + line['image']))
        self.assertEqual(line['anomalous'], line['count'] > 0)
        self.assertEqual(len(line['places']), line['count'])
        self.assertEqual(len(line['boxes']), line['count'])
        self.assertLessEqual(set(line['places']), PLACES)
        self.assertTrue(line['question'].endswith('Is there any anomaly in the image?'))
        self.assertTrue(line['answer'].startswith('Yes, there ' if line['count'] else 'No, there is no anomaly'))
        for place, (x, y), (left, top, wide, high) in zip(line['places'], line['centres'], line['boxes']):
            self.assertTrue(0 <= left <= x < left + wide <= width)
            self.assertTrue(0 <= top <= y < top + high <= height)
            self.assertIn(place, line['answer'])
            thirds = [('top', '', 'bottom')[int(3 * (y + 0.5) / height)], ('left', '', 'right')[int(3 * (x + 0.5) / width)]]
            self.assertEqual(place, ' '.join(filter(None, thirds)) or 'center')
        if line['mask']:
            self.assertEqual(png_size(self.path('set/' + line['mask'])), (width, height))

    def test_a_data_set_for_eval(self):
        out = self.simulate(self.good_parts(6), '--object', 'metal plate', '-n', '7', '--seed', '3')
        self.assertEqual(out, 'set: 7 simulated from 3 good pictures, 3 more to compare with\n')
        numbers = [f'{i:03d}.png' for i in range(7)]
        self.assertEqual(self.listed('train/good'), numbers[:3])
        self.assertEqual(self.listed('test/good'), numbers[:3])
        self.assertEqual(self.listed('test/simulated'), numbers)
        self.assertEqual(self.listed('ground_truth/simulated'), [n.replace('.', '_mask.') for n in numbers])
        self.assertEqual(self.listed('test'), ['good', 'simulated'])
        lines = self.lines()
        self.assertEqual(len(lines), 10)
        for line in lines:
            self.check_line(line)
            self.assertEqual(line['object'], 'metal plate')
            self.assertIn('a photo of a metal plate', line['question'])
        self.assertEqual([line['anomalous'] for line in lines], [False] * 3 + [True] * 7)
        self.assertEqual({line['from'] for line in lines}, {f'good/{i}.png' for i in (0, 2, 4)})
        self.assertGreater(len({line['count'] for line in lines}), 2)
        width, height = png_size(self.path('set/contact.png'))
        self.assertEqual(width, 896)
        self.assertGreater(height, 7 * 208)
        result = json.loads(self.succeed('eval', 'set', '--shots', '2', '--seeds', '1', '--json'))
        self.assertEqual((result['good'], result['bad'], result['masks']), (3, 7, 7))

    def test_both_blends(self):
        self.simulate(self.good_parts(4), '--blend', 'both')
        lines = self.lines()
        self.assertEqual([line['blend'] for line in lines], [None, None] + ['poisson', 'paste'] * 2)
        for one, two in zip(lines[2::2], lines[3::2]):
            self.check_line(one)
            self.assertEqual((one['image'], two['image'].replace('pasted', 'simulated')), (one['image'],) * 2)
            for key in ('answer', 'centres', 'boxes', 'from'):
                self.assertEqual(one[key], two[key])
            with open(self.path('set/' + one['image']), 'rb') as a, open(self.path('set/' + two['image']), 'rb') as b:
                self.assertNotEqual(a.read(), b.read())
        self.assertEqual(self.listed('test/pasted'), self.listed('test/simulated'))
        os.rename(self.path('set'), self.path('both'))
        self.simulate('good', '--blend', 'paste')
        self.assertEqual(self.listed('test'), ['good', 'simulated'])
        same = subprocess.run(['diff', '-r', 'both/test/pasted', 'set/test/simulated'], cwd=self.folder, check=False)
        self.assertEqual(same.returncode, 0)

    def test_seeds(self):
        for name, seed in (('a', '1'), ('b', '1'), ('c', '2')):
            self.succeed('simulate', self.good_parts(3), '--seed', seed, '--out', name)
        self.assertEqual(subprocess.run(['diff', '-r', 'a', 'b'], cwd=self.folder, check=False).returncode, 0)
        self.assertEqual(subprocess.run(['diff', '-rq', 'a', 'c'], cwd=self.folder, stdout=subprocess.DEVNULL,
                                        check=False).returncode, 1)

    def test_one_picture_and_another_source(self):
        self.write('one.png', part(1))
        out = self.simulate('one.png', '-n', '3', '--most', '1')
        self.assertIn('3 simulated from 1 good picture, 0 more', out.replace('pictures', 'picture'))
        self.assertEqual({line['count'] for line in self.lines()}, {0, 1})
        os.rename(self.path('set'), self.path('own'))
        self.simulate('one.png', '-n', '3', '--most', '1', '--source', self.good_parts(2, 'other'))
        self.assertEqual(subprocess.run(['diff', '-rq', 'own', 'set'], cwd=self.folder, stdout=subprocess.DEVNULL,
                                        check=False).returncode, 1)

    def test_nothing_can_show(self):
        """On one colour no patch of itself shows: said, not hidden; there is no contact sheet then."""
        self.write('grey.png', command.png(64, 64, lambda y: b'\x80' * 192))
        out = self.simulate('grey.png', '-n', '2')
        self.assertIn('set: 0 simulated from 1', out)
        self.assertIn('2 left out: no patch of them shows\n', out)
        self.assertEqual(self.listed('test/simulated'), [])
        self.assertFalse(os.path.exists(self.path('set/contact.png')))

    def test_pictures_of_odd_sizes(self):
        for name, width, height in (('dot', 1, 1), ('wide', 700, 3), ('tall', 2, 500)):
            self.write(f'odd/{name}.png', command.png(width, height, lambda y, w=width: bytes((y * 7 + i) % 251 for i in range(3 * w))))
        self.simulate('odd', '-n', '6')

    def test_wrong_use(self):
        self.good_parts()
        self.fail_once(2, 'no pictures', 'simulate', '--out', 'set')
        self.fail_once(2, '--out', 'simulate', 'good')
        self.fail_once(2, '--blend', 'simulate', 'good', '--out', 'set', '--blend', 'glue', words=('poisson|paste|both',))
        self.fail_once(2, '--most', 'simulate', 'good', '--out', 'set', '--most', '5', words=('from 1 to 4',))
        self.fail_once(2, '-n', 'simulate', 'good', '--out', 'set', '-n', '0')
        self.fail_once(66, 'nowhere', 'simulate', 'nowhere', '--out', 'set', words=('nowhere',))
        self.fail_once(66, 'empty', 'simulate', 'good', '--source', self.write('empty/words.txt', b'')[:5], '--out', 'set')
        self.fail_once(74, 'file', 'simulate', 'good', '--out', self.write('file', b'') + '/set')

    def test_a_folder_in_use(self):
        self.simulate(self.good_parts(3))
        self.fail_once(2, 'set/', 'simulate', 'good', '--out', 'set', words=('not empty',))

    def test_a_picture_that_cannot_be_read(self):
        self.good_parts(3)
        self.write('good/1broken.png', part(4)[:300])
        status, out, err = self.run_flaw('simulate', 'good', '--out', 'set')
        self.assertEqual((status, len(err)), (65, 1))
        self.assertIn('1broken.png', err[0])
        self.assertIn('2 simulated from 2 good pictures, 1 more', out)
        self.write('bad/words.png', b'words')
        self.assertEqual(self.fail_once(65, 'words.png', 'simulate', 'bad', '--out', 'other'), '')

    def test_photographs(self):
        folder = os.path.join(SHARED, 'data', 'hazelnut', 'train', 'good')
        if not os.path.isdir(folder):
            self.skipTest('no ../shared/data/hazelnut here')
        files = [os.path.join(folder, name) for name in sorted(os.listdir(folder))[:4]]
        self.simulate(*files, '--object', 'hazelnut', '-n', '4')
        for line in self.lines():
            self.check_line(line)
            self.assertIn('a photo of a hazelnut', line['question'])
        self.assertEqual(len(self.lines()), 6)


if __name__ == '__main__':
    unittest.main()
