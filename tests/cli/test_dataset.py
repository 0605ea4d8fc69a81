"""flaw dataset info, check: what is understood of data sets of every layout, and what is wrong with them."""
import collections
import csv
import json
import os
import random
import shutil
import unittest

import command
from command import SHARED, part, png


def mask(size=96, marked=True):
    return png(size, size, lambda y: (b'\xff' if marked and y < 9 else b'\0') * 3 * size)


class Dataset(command.Command):
    def info(self, *paths):
        return [json.loads(line) for line in self.succeed('dataset', 'info', '--json', *paths).splitlines()]

    def check(self, status, *paths):
        """{category: [(kind, path)]}; the report is the same for any number of threads."""
        reports = []
        for threads in ('1', '3'):
            found, out, err = self.run_flaw('dataset', 'check', '--json', '--threads', threads, *paths)
            self.assertEqual((found, err), (status, []))
            reports.append(out)
        self.assertEqual(reports[0], reports[1])
        lines = [json.loads(line) for line in reports[0].splitlines()]
        return {line['category']: [(p['kind'], p['path']) for p in line['problems']] for line in lines}

    def mvtec(self, root='nut'):
        for i in range(3):
            self.write(f'{root}/train/good/{i}.png', part(i))
        self.write(f'{root}/test/good/0.png', part(10))
        for i in range(2):
            self.write(f'{root}/test/dent/{i}.png', part(20 + i, spot=(30, 30)))
            self.write(f'{root}/ground_truth/dent/{i}_mask.png', mask())
        self.write(f'{root}/test/hole/0.png', part(30, spot=(60, 30)))
        return root

    def test_info(self):
        self.mvtec()
        out = self.succeed('dataset', 'info', 'nut')
        self.assertTrue(out.startswith('nut: 3 good, 3 bad in 2 kinds, 2 masks, layout mvtec ('
                                       'test: 1 good, 3 bad)\n'), out)
        self.assertRegex(out, r'\n  test +dent +2  2 with a mask\n')
        line, = self.info('nut')
        self.assertEqual((line['good'], line['bad'], line['masks'], line['references'], line['tests']), (4, 3, 2, 3, 4))
        self.assertEqual([(p['split'], p['kind'], p['pictures']) for p in line['parts']],
                         [('train', 'good', 3), ('test', 'dent', 2), ('test', 'good', 1), ('test', 'hole', 1)])
        self.assertEqual(self.check(0, 'nut'), {'nut': []})
        self.assertIn('7 pictures and 2 masks read, no problems', self.succeed('dataset', 'check', 'nut'))

    def test_part_to_test_alone(self):
        """Without train/ the part to test is still one data set: none of its bad pictures is passed over."""
        self.mvtec()
        shutil.rmtree(self.path('nut/train'))
        line, = self.info('.')
        self.assertEqual((line['layout'], line['good'], line['bad'], line['masks'], line['references']), ('mvtec', 1, 3, 2, 0))
        for name in ('ok', 'ko'):
            self.write(f'btad/01/test/{name}/0.png', part(5))
        line, = self.info('btad')
        self.assertEqual((line['layout'], line['good'], line['bad']), ('btad', 1, 1))

    def test_hidden_files(self):
        """What file managers leave behind is neither a picture nor a kind of defect."""
        self.mvtec()
        for name in ('test/dent/._0.png', 'train/good/._1.png', 'test/.ipynb_checkpoints/0.png'):
            self.write('nut/' + name, b'Mac OS X')
        self.assertEqual(self.check(0, 'nut'), {'nut': []})

    def test_categories_of_a_table(self):
        for name in 'abc':
            self.write(f'p/{name}.png', part(ord(name)))
        self.write('list.csv', b'image_path,label,category\np/a.png,good,metal_nut\np/b.png,bent,metal_nut\np/c.png,0,cable\n')
        lines = self.info('list.csv')
        self.assertEqual([(l['category'], l['object'], l['layout'], l['good'], l['bad']) for l in lines],
                         [('cable', 'cable', 'table', 1, 0), ('metal_nut', 'metal nut', 'table', 1, 1)])
        self.assertIn('list.csv [cable]: 1 good, 0 bad, 0 masks, layout table', self.succeed('dataset', 'info', 'list.csv'))
        self.assertEqual(self.info('list.csv', '--layout', 'table'), lines)
        self.fail_once(65, 'mvtec', 'dataset', 'info', '.', '--layout', 'mvtec')
        self.fail_once(2, 'zeppelin', 'dataset', 'info', '.', '--layout', 'zeppelin', words=('mvtec-ad2, loco, mvtec',))

    def test_everything_wrong(self):
        self.mvtec()
        self.write('nut/test/hole/1.png', part(31)[:-30])  # cut short
        self.write('nut/ground_truth/dent/1_mask.png', mask(48))
        self.write('nut/ground_truth/hole/0_mask.png', mask(marked=False))
        self.write('nut/ground_truth/good/0_mask.png', mask())
        self.write('nut/test/dent/2.png', part(22, spot=(9, 9)))
        self.write('nut/ground_truth/dent/2_mask.png', b'words')
        self.write('nut/test/good/1.png', part(1))  # of train/good
        self.write('nut/train/good/9.png', part(0))
        self.write('nut/train/good/A.png', part(40))
        self.write('nut/train/good/a.png', part(41))
        self.assertEqual(sorted(self.check(65, 'nut')['nut']), sorted([
            ('unreadable', 'nut/test/hole/1.png'), ('mask size', 'nut/test/dent/1.png'),
            ('mask empty', 'nut/test/hole/0.png'), ('mask marked', 'nut/test/good/0.png'),
            ('mask unreadable', 'nut/test/dent/2.png'), ('leak', 'nut/test/good/1.png'),
            ('duplicate', 'nut/train/good/9.png'), ('case', 'nut/train/good/a.png')]))
        status, out, err = self.run_flaw('dataset', 'check', 'nut')
        self.assertEqual((status, err), (65, []))
        self.assertIn("  leak: 'nut/test/good/1.png' (test, good) is the same picture as 'nut/train/good/1.png' (train, "
                      "good)\n", out)
        self.assertIn("  mask size: mask 'nut/ground_truth/dent/1_mask.png' has 48 x 48 pixels, its picture 96 x 96\n", out)
        self.assertTrue(out.endswith('12 pictures and 4 masks read, 8 problems\n'), out)

    def test_same_picture_saved_twice(self):
        """Other bytes, same pixels."""
        def row(y):
            return bytes((y, 2 * y, 3 * y)) * 8
        first = png(8, 8, row)
        self.write('set/good/0.png', first)
        self.write('set/bad/0.png', first[:33] + command.chunk(b'tEXt', b'Comment\0again') + first[33:])
        self.assertEqual(self.check(65, 'set')['set'], [('leak', 'set/bad/0.png')])

    def test_lying_tables(self):
        for name in 'abc':
            self.write(f'{name}.png', part(ord(name)))
        self.write('list.csv', b'image,label,mask,split\na.png,good,,train\nnone.png,good,,test\nb.png,bad,gone.png,test\n'
                               b'a.png,good,,test\n/../c.png,good,,test\n')
        self.assertEqual(self.check(65, 'list.csv')[''],
                         [('line', 'list.csv')] * 3 + [('leak', 'a.png')])
        self.fail_once(66, "list.csv':3:", 'dataset', 'info', 'list.csv', words=['none.png'])
        self.fail_once(66, "list.csv':3:", 'eval', 'list.csv')
        self.write('none.csv', b'image,label\nx.png,good\n')
        self.assertEqual(self.check(65, 'none.csv')[''], [('line', 'none.csv')])
        self.write('broken.csv', b'image,label\na.png,"good\n')
        self.fail_once(65, "broken.csv':2:", 'dataset', 'check', 'broken.csv')
        self.write('picture.txt', b'image\n')
        self.fail_once(66, 'picture.txt', 'dataset', 'info', 'picture.txt')
        self.fail_once(2, 'usage', 'dataset', 'measure', 'list.csv')
        self.fail_once(2, 'usage', 'dataset', 'check')

    def test_one_fault_does_not_stop_the_others(self):
        self.mvtec()
        status, out, err = self.run_flaw('dataset', 'info', 'nowhere', 'nut')
        self.assertEqual((status, len(err)), (66, 1))
        self.assertIn('layout mvtec', out)

    def test_btad_with_bmp(self):
        """Pictures as BTAD has them: .bmp, told by their bytes."""
        def bmp(size, value):
            rows = bytes((value, value, value)) * size + b'\0' * (-3 * size % 4)
            head = command.struct.pack('<2sIHHI', b'BM', 54 + len(rows) * size, 0, 0, 54)
            return head + command.struct.pack('<IiiHHIIiiII', 40, size, size, 1, 24, 0, 0, 0, 0, 0, 0) + rows * size
        self.write('01/train/ok/0.bmp', bmp(9, 100))
        self.write('01/test/ok/1.bmp', bmp(9, 110))
        self.write('01/test/ko/2.bmp', bmp(9, 120))
        self.write('01/ground_truth/ko/2.bmp', bmp(9, 255))
        self.assertEqual(self.check(0, '.'), {'01': []})
        line, = self.info('.')
        self.assertEqual((line['layout'], line['good'], line['bad'], line['masks']), ('btad', 2, 1, 1))

    def test_csv_as_python_reads_it(self):
        """Any text as the name of a defect, written by Python's csv in three forms: understood as Python understands it."""
        draw = random.Random(5)
        self.write('p.png', part(1))
        for delimiter, quoting in ((',', csv.QUOTE_MINIMAL), (';', csv.QUOTE_ALL), ('\t', csv.QUOTE_NONNUMERIC)):
            kinds = [''.join(draw.choice('ab"",;\t \n\r\u00e4\u4e2d\'') for _ in range(draw.randrange(1, 9)))
                     for _ in range(200)]
            if quoting == csv.QUOTE_MINIMAL:
                kinds = [kind.strip(' \t') for kind in kinds]  # not meant where there are no quotes
            kinds = [kind for kind in kinds if kind]
            with open(self.path('list.csv'), 'w', newline='', encoding='utf-8') as file:
                writer = csv.writer(file, delimiter=delimiter, quoting=quoting)
                writer.writerows([['image_path', 'label', 'split', 'note']] + [['p.png', kind, 'test', ''] for kind in kinds])
            with open(self.path('list.csv'), newline='', encoding='utf-8') as file:
                expected = collections.Counter(row['label'] for row in csv.DictReader(file, delimiter=delimiter))
            line, = self.info('list.csv')
            self.assertEqual({p['kind']: p['pictures'] for p in line['parts']}, dict(expected))

    def test_layouts_are_measured_alike(self):
        """The same pictures as folders, as a table and as meta.json give the same figures to the last bit."""
        self.mvtec()
        rows = [('train', 'good', f'nut/train/good/{i}.png', '') for i in range(3)]
        rows += [('test', 'dent', f'nut/test/dent/{i}.png', f'nut/ground_truth/dent/{i}_mask.png') for i in range(2)]
        rows += [('test', 'good', 'nut/test/good/0.png', ''), ('test', 'hole', 'nut/test/hole/0.png', '')]
        with open(self.path('list.csv'), 'w', newline='', encoding='utf-8') as file:
            csv.writer(file).writerows([['split', 'label', 'image', 'mask', 'object']] + [[*row, 'nut'] for row in rows])
        meta = {split: {'nut': [{'img_path': image, 'mask_path': mask_path, 'cls_name': 'nut', 'specie_name': kind,
                                 'anomaly': int(kind != 'good')} for part_of, kind, image, mask_path in rows
                                if part_of == split]} for split in ('train', 'test')}
        self.write('meta.json', json.dumps(meta).encode())
        found = []
        for path in ('nut', 'list.csv', 'meta.json'):
            line = json.loads(self.succeed('eval', path, '--shots', '2', '--seeds', '1', '--json').splitlines()[0])
            del line['mean']['ms']
            found.append((line['category'], line['good'], line['bad'], line['masks'], line['mean']))
        self.assertEqual(found[0][:4], ('nut', 1, 3, 2))
        self.assertEqual(found[0], found[1])
        self.assertEqual(found[0], found[2])

    def test_real_data(self):
        data = os.path.join(SHARED, 'data')
        if not os.path.isdir(os.path.join(data, 'hazelnut')):
            self.skipTest('no ../shared/data here')
        self.assertEqual([(l['category'], l['layout'], l['good'], l['bad'], l['masks']) for l in self.info(data)],
                         [('cookies', 'cookies', 45, 40, 32), ('hazelnut', 'mvtec', 34, 17, 17)])


if __name__ == '__main__':
    unittest.main()
