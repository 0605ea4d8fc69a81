"""flaw scenes, eval, train, model, method, bench: from drawing pictures to figures and weights."""
import json
import os
import signal
import subprocess
import unittest

import command
from command import FLAW, SHARED, SOURCE, part


class Data(command.Command):
    def scenes(self, *arguments):
        self.succeed('scenes', '--out', 'scenes', '-n', '12', '--size', '64', '--anomalous-share', '1/3', *arguments)

    def test_scenes_can_be_measured(self):
        self.scenes('--kind', 'metal nut', '--products', '2')
        for line in (json.loads(line) for line in self.succeed('eval', 'scenes', '--json').splitlines()):
            self.assertEqual(line['draws'], 1)
            self.assertGreater(line['good'], 0)
            self.assertGreater(line['bad'], 0)
            self.assertEqual(line['masks'], line['bad'])
            self.assertTrue(0 <= line['mean']['image_auroc'] <= 1)
            self.assertTrue(0 <= line['mean']['pixel_pro'] <= 1)
            self.assertIsNone(line['sd']['image_auroc'])
        lines = [json.loads(line) for line in
                 self.succeed('eval', 'scenes', '--shots', '1', '--seeds', '2', '--json').splitlines()]
        self.assertEqual([line['dataset'] for line in lines], ['scenes/metal_nut', 'scenes/metal_nut-2', 'mean'])
        self.assertEqual(lines[0]['draws'], 2)
        self.assertIsNotNone(lines[0]['sd']['image_auroc'])
        mean = sum(line['mean']['image_auroc'] for line in lines[:2]) / 2
        self.assertAlmostEqual(lines[2]['mean']['image_auroc'], mean, places=7)
        table = self.succeed('eval', 'scenes/metal_nut', '--shots', 'all')
        self.assertRegex(table, r'\n  image AUROC +[01]\.\d{4}  \[[01]\.\d{4}, [01]\.\d{4}\]\n')

    def test_same_seed_same_scenes(self):
        self.scenes('--kind', 'screw')
        os.rename(self.path('scenes'), self.path('first'))
        self.scenes('--kind', 'screw', '--seed', '0')
        self.assertEqual(subprocess.run(['diff', '-r', 'first', 'scenes'], cwd=self.folder, check=False).returncode, 0)
        self.scenes('--kind', 'screw', '--seed', '1')
        self.assertEqual(subprocess.run(['diff', '-rq', 'first', 'scenes'], cwd=self.folder, stdout=subprocess.DEVNULL,
                                        check=False).returncode, 1)

    def test_faults_of_data_sets(self):
        self.write('bare/a.png', part(1))
        self.fail_once(65, 'bare', 'eval', 'bare')
        self.fail_once(66, 'nowhere', 'eval', 'nowhere')
        self.fail_once(66, 'bare/a.png', 'eval', 'bare/a.png')
        self.fail_once(2, 'usage', 'eval')
        for i in range(2):
            self.write(f'set/train/good/{i}.png', part(i))
            self.write(f'set/test/good/{i}.png', part(i))
        self.fail_once(2, 'set', 'eval', 'set', '--shots', '3')
        self.write('set/test/bad/words.png', b'words')
        self.fail_once(65, 'words.png', 'eval', 'set')
        self.fail_once(2, 'zeppelin', 'scenes', '--out', 'o', '--kind', 'zeppelin')
        self.fail_once(74, 'set/train/good/0.png', 'scenes', '--out', 'set/train/good/0.png/o', '-n', '1')

    def test_lists(self):
        self.assertIn('metal nut', self.succeed('scenes', 'list'))
        self.assertIn('winclip', self.succeed('method', 'list'))
        methods = [json.loads(line)['method'] for line in self.succeed('method', 'list', '--json').splitlines()]
        self.assertIn('few-shot', methods)
        self.assertIn('default', self.succeed('model', 'list'))
        self.assertTrue(json.loads(self.succeed('model', 'info', '--json'))['whole'])
        self.fail_once(2, 'nosuch', 'model', 'nosuch')

    def test_bench(self):
        self.write('a.png', part(1))
        line = json.loads(self.succeed('bench', 'a.png', '--repeat', '3', '--json'))
        for key in ('start_ms', 'decode_ms', 'embed_ms', 'gflops', 'words_ms', 'parts_ms'):
            self.assertGreater(line[key], 0, key)
        self.assertIn('opening the engine', self.succeed('bench', '--repeat', '1'))
        self.fail_once(66, 'nowhere.png', 'bench', 'nowhere.png')


def interrupt_and_resume(test, arguments):
    """Ctrl-C after step 2; then the same command, one step further."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith('FLAW_')}
    process = subprocess.Popen([FLAW, *arguments, '--steps', '100000'], cwd=test.folder, env=clean, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    first = process.stdout.readline()
    while not first.startswith('step 2/'):
        test.assertTrue(first, process.stderr.read() if process.poll() is not None else 'no line')
        first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=240)
    test.assertEqual((process.returncode, err), (0, ''))
    done = max([2] + [int(line.split()[1].split('/')[0]) for line in out.splitlines() if line.startswith('step ')])
    out = test.succeed(*arguments, '--steps', str(done + 1))
    steps = [line.split()[1] for line in out.splitlines() if line.startswith('step ') and '/' in line.split()[1]]
    test.assertEqual(steps, [f'{done + 1}/{done + 1}'])


class TrainLanguage(command.Command):
    def setUp(self):
        super().setUp()
        self.flags = ['--out', 'run', '--dialogue', os.path.join(SOURCE, 'models', 'dialogue.txt'), '--dialogues', '200',
                      '--width', '32', '--layers', '1', '--heads', '2', '--kv-heads', '1', '--hidden', '32', '--context', '64',
                      '--rows', '2', '--vocabulary', '512', '--log-every', '1', '--evaluate-every', '1000']

    def test_interrupted_and_resumed(self):
        """Ctrl-C leaves a checkpoint, a model that speaks and its curve; the same command goes on."""
        interrupt_and_resume(self, ['train', 'language', *self.flags])
        with open(os.path.join(self.folder, 'run', 'loss.png'), 'rb') as file:
            self.assertEqual(file.read(8), b'\x89PNG\r\n\x1a\n')
        self.assertTrue(self.succeed('complete', '--model', 'run/model.safetensors', '-n', '3', 'Is'))

    def test_faults(self):
        self.fail_once(2, '--out', 'train', 'language')
        self.fail_once(66, 'nowhere.txt', 'train', 'language', *self.flags, '--texts', 'nowhere.txt')
        self.fail_once(66, 'nowhere.txt', 'train', 'language', '--out', 'run', '--dialogue', 'nowhere.txt')
        self.fail_once(2, 'no text', 'train', 'language', '--out', 'run', '--dialogues', '0')
        self.fail_once(65, 'heads', 'train', 'language', *self.flags, '--heads', '3')
        self.succeed('train', 'language', *self.flags, '--steps', '1')
        self.fail_once(2, 'shape of the model', 'train', 'language', *self.flags, '--steps', '2', '--layers', '2')


class Train(command.Command):
    def setUp(self):
        super().setUp()
        self.init = os.path.join(SHARED, 'models', 'deit-tiny')
        if not os.path.isdir(self.init):
            self.skipTest('no ../shared/models/deit-tiny here')
        self.flags = ['--out', 'run', '--init', self.init, '--words', os.path.join(SOURCE, 'models', 'words.txt'), '--pairs',
                      '1', '--sentences', '1', '--log-every', '1', '--evaluate-every', '0', '--scene-share', '1',
                      '--text-layers', '1', '--text-width', '64', '--text-heads', '1', '--joint', '64']

    def test_interrupted_and_resumed(self):
        """Ctrl-C leaves a checkpoint and a model; the same command goes on; the model judges."""
        interrupt_and_resume(self, ['train', *self.flags])
        self.write('a.png', part(1))
        self.assertEqual(self.judge('a.png', '--model', 'run/model.safetensors')[0], 0)
        self.succeed('train', 'export', 'run/checkpoint.safetensors', 'again.safetensors')
        self.assertEqual(subprocess.run(['cmp', 'again.safetensors', 'run/model.safetensors'], cwd=self.folder,
                                        check=False).returncode, 0)

    def test_faults(self):
        self.fail_once(2, '--out', 'train')
        self.fail_once(2, 'weight', 'train', '--out', 'run', '--photos', 'x,weight=0')
        self.fail_once(2, 'colour=red', 'train', '--out', 'run', '--photos', 'x,colour=red')
        self.fail_once(66, 'nowhere', 'train', *self.flags, '--photos', 'nowhere')
        self.fail_once(66, 'none.safetensors', 'train', 'export', 'none.safetensors', 'x')


if __name__ == '__main__':
    unittest.main()
