"""flaw eval over methods, shots and seeds: kept, gone on with, dealt to shards and merged."""
import csv
import json
import unittest

import command

GRID = ['--method', 'alfa,few-shot', '-k', '0,1', '--seeds', '2']


class Eval(command.Command):
    def setUp(self):
        super().setUp()
        self.succeed('scenes', '--out', 'scenes', '-n', '10', '--size', '64', '--anomalous-share', '1/3', '--kind', 'washer')
        self.set = 'scenes/washer'

    def rows(self, *arguments):
        rows = [json.loads(line) for line in self.succeed('eval', *arguments, '--json').splitlines()]
        for row in rows:
            for figures in ('mean', 'sd', 'low', 'high'):
                row[figures].pop('ms')
        return rows

    def test_kept_resumed_sharded_merged(self):
        whole = self.rows(self.set, *GRID, '--out', 'whole')
        self.assertEqual([(r['method'], r['shots'], r['draws']) for r in whole], [('alfa', '0', 1), ('few-shot', '1', 2)])
        self.assertIsNone(whole[0]['against'])
        self.assertEqual(whole[1]['against']['method'], 'alfa')
        with open(self.path('whole/summary.csv'), encoding='utf-8') as file:
            table = list(csv.DictReader(file))
        self.assertEqual([float(line['image_auroc']) for line in table],
                         [float(f'{float(line["image_auroc"]):.17g}') for line in table])
        self.assertAlmostEqual(float(table[0]['pixel_pro']), whole[0]['mean']['pixel_pro'], places=8)

        self.fail_once(2, '--resume', 'eval', self.set, *GRID, '--out', 'whole')
        with open(self.path('whole/results.jsonl'), 'rb') as file:
            kept = file.read()
        self.write('cut/results.jsonl', kept[:len(kept) // 2])
        self.assertEqual(self.rows(self.set, *GRID, '--out', 'cut', '--resume'), whole)
        self.fail_once(65, 'another evaluation', 'eval', self.set, *GRID, '--seed', '1', '--out', 'cut', '--resume')

        for shard in ('1/2', '2/2'):
            self.succeed('eval', self.set, *GRID, '--shard', shard, '--out', 'part' + shard[0])
        self.fail_once(65, 'shard 2 of 2 is missing', 'eval', 'merge', 'part1', '--out', 'merged')
        self.assertEqual(self.rows('merge', 'part2', 'part1', '--out', 'merged'), whole)
        self.assertEqual(self.rows('show', 'merged'), whole)
        table = self.succeed('eval', 'show', 'merged')
        self.assertIn('few-shot (k 1) less alfa (k 0)', table)

    def test_wrong_use(self):
        self.fail_once(2, '--out', 'eval', self.set, '--resume')
        self.fail_once(2, '--out', 'eval', self.set, '--shard', '1/2')
        self.fail_once(2, '3/2', 'eval', self.set, '--shard', '3/2', '--out', 'o')
        self.fail_once(2, 'alfa,,winclip', 'eval', self.set, '--method', 'alfa,,winclip')
        self.fail_once(2, '1,some', 'eval', self.set, '-k', '1,some')
        self.fail_once(66, 'nowhere', 'eval', 'show', 'nowhere')
        self.write('broken/results.jsonl', b'{"flaw_eval":1}\n')
        self.fail_once(65, 'line 1', 'eval', 'show', 'broken')


if __name__ == '__main__':
    unittest.main()
