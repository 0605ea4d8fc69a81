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


if __name__ == '__main__':
    unittest.main()
