"""flaw ablation: rows of parts measured by what is said, on drawn scenes and on data sets."""
import json
import os
import unittest

import command
from command import SHARED, SOURCE

EYES = os.path.join(SOURCE, 'models', 'default.safetensors')  # a model that sees and does not speak
VOICE = os.path.join(SHARED, 'golden', 'anomalygpt-small')
ROWS = ('language', 'limit', 'adapter', 'full')


class Ablation(command.Command):
    def scenes(self, count=12):
        self.succeed('scenes', '--kind', 'metal nut', '--size', '96', '-n', str(count), '--anomalous-share', '1/3', '--out', 'scenes')
        return 'scenes'

    def test_a_model_without_a_voice(self):
        line = json.loads(self.succeed('ablation', self.scenes(), '--model', EYES, '--json'))
        self.assertEqual((line['dataset'], line['good'], line['bad'], line['masks'], line['normals']), ('scenes/metal_nut', 4, 4, 4, 4))
        self.assertEqual(tuple(line['rows']), ROWS)
        self.assertIn('no voice', line['rows']['language']['left_out'])
        self.assertIn('no voice', line['note'])
        for name in ('limit', 'full'):
            row = line['rows'][name]
            self.assertNotIn('left_out', row)
            for key in ('image_auroc', 'pixel_auroc', 'accuracy', 'count', 'place', 'every_place', 'false_alarms', 'misses'):
                self.assertTrue(0 <= row[key] <= 1, key)
            self.assertLessEqual(row['every_place'], row['place'])
        self.assertEqual(line['rows']['limit']['image_auroc'], line['rows']['full']['image_auroc'])
        self.assertIsNone(line['rows']['language']['accuracy'])
        self.assertEqual(line['rows']['full']['paper'], {'mvtec': 0.933, 'visa': 0.774})
        table = self.succeed('ablation', 'scenes', '--model', EYES, '--shots', '1')
        self.assertRegex(table, r'\ndecoder, prompt learner +[01]\.\d{4} +[01]\.\d{4} +[01]\.\d{4} +[01]\.\d{4} +[01]\.\d{4} +0\.933 +0\.774\n')
        self.assertIn('\nlanguage model alone  ', table)

    def test_a_voice_and_adapters(self):
        if not os.path.isdir(VOICE):
            self.skipTest('no ../shared/golden/anomalygpt-small here')
        line = json.loads(self.succeed('ablation', self.scenes(3), '--model', VOICE, '--adapter', VOICE, '--described', '--json'))
        rows = line['rows']
        for name in ROWS:
            self.assertNotIn('left_out', rows[name])
            self.assertIsNotNone(rows[name]['accuracy'])
        self.assertIsNone(rows['language']['image_auroc'])
        self.assertEqual(line['note'], '')
        for row in rows.values():
            row.pop('paper')
        self.assertEqual(rows['adapter'], rows['full'])  # the same weights

    def test_scenes_are_drawn(self):
        lines = [json.loads(line) for line in self.succeed('ablation', '--out', 'o', '-n', '1', '--model', EYES, '--json').splitlines()]
        folders = sorted(os.listdir(self.path('o/scenes')))
        kinds = [line['dataset'] for line in lines[:-1]]
        self.assertEqual(kinds, [f'o/scenes/{name}' for name in folders if '.' not in name])
        self.assertEqual(lines[-1]['dataset'], 'mean')
        self.assertEqual(lines[-1]['bad'], sum(line['bad'] for line in lines[:-1]))
        self.fail_once(2, 'o/scenes', 'ablation', '--out', 'o', words=('there already',))

    def test_wrong_use(self):
        self.fail_once(2, 'usage', 'ablation')
        self.fail_once(2, '--out', 'ablation', self.scenes(3), '--out', 'o')
        self.fail_once(2, '--shots', 'ablation', 'scenes', '--shots', 'few')
        self.fail_once(66, 'nowhere', 'ablation', 'nowhere')
        self.fail_once(66, 'nosuch', 'ablation', 'scenes', '--adapter', 'nosuch')
        self.fail_once(2, 'it has', 'ablation', 'scenes', '--shots', '50')

class OfAlfa(command.Command):
    def test_parts_of_alfa(self):
        tower = os.path.join(SHARED, 'golden', 'clip-small', 'open_clip')
        if not os.path.isdir(tower):
            self.skipTest('no ../shared/golden/clip-small here')
        for name in ('a', 'b'):
            self.succeed('scenes', '--kind', 'washer', '--size', '64', '-n', '6', '--anomalous-share', '1/2', '--out', name)
        lines = [json.loads(line) for line in
                 self.succeed('ablation', 'alfa', 'a', 'b', '--model', tower, '--seeds', '1', '--json').splitlines()]
        parts = [line['part'] for line in lines if line['dataset'] == 'mean']
        self.assertEqual(len(lines), 3 * len(parts))
        of = {(line['dataset'], line['part']): line['mean'] for line in lines}
        for part in parts:
            for key in ('image_auroc', 'pixel_pro'):
                mean = (of['a', part][key] + of['b', part][key]) / 2
                self.assertAlmostEqual(of['mean', part][key], mean, places=7)
        # a row is what flaw eval says of the same settings
        row = json.loads(self.succeed('eval', 'a', '--model', tower, '--method', 'alfa', '--rule', 'soft', '--lambda', 'inf',
                                      '--windows', 'on', '--score', 'cls', '--json'))
        soft = next(part for part in parts if 'soft' in part)
        for key, value in of['a', soft].items():
            self.assertAlmostEqual(value, row['mean'][key], places=7)
        self.assertIn("PRO / WinCLIP's", self.succeed('ablation', 'alfa', 'a', '--model', tower, '--seeds', '1'))
        self.fail_once(2, 'no data set', 'ablation', 'alfa')


if __name__ == '__main__':
    unittest.main()
