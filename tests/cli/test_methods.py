"""Methods from outside: the list, their options, recipes of each, and the batch that judges itself."""
import json
import unittest

import command
from command import part

MEMORIES = ('spade', 'padim', 'patchcore', 'anomalydino')


class Methods(command.Command):
    def good(self, count):
        return [self.write(f'good/{i}.png', part(i)) for i in range(count)]

    def test_list(self):
        lines = [json.loads(line) for line in self.succeed('method', 'list', '--json').splitlines()]
        there = {line['method']: line for line in lines if not line.get('absent')}
        absent = {line['method']: line for line in lines if line.get('absent')}
        for name in MEMORIES:
            self.assertEqual((there[name]['needs']['good'], there[name]['needs']['text']), (True, False))
        self.assertTrue(there['musc']['needs']['batch'] and not there['musc']['needs']['good'])
        self.assertTrue(there['alfa']['needs']['text'])
        self.assertEqual([o['name'] for o in there['patchcore']['options']], ['coreset', 'b'])
        self.assertEqual(there['anomalydino']['options'][1]['default'], 'auto')
        self.assertGreaterEqual(set(absent), {'riad', 'intra', 'anoddpm', 'scadn', 'patchsvdd', 'pyramidflow', 'cflow', 'cfa'})
        self.assertTrue(all(line['reason'] and line['paper'] for line in absent.values()))
        page = self.succeed('method', 'list')
        for name in list(there) + list(absent):
            self.assertIn(name, page)

    def test_options(self):
        self.good(2)
        picture = self.write('a.png', part(9))
        for method, text, says in (('patchcore', 'corset=0.1', 'allowed are coreset, b'), ('spade', 'k=0', '1 to 10000'),
                                   ('anomalydino', 'mask=maybe', 'auto|on|off'), ('few-shot', 'k=1', 'none'),
                                   ('padim', 'channels=5,channels=6', 'given twice')):
            self.fail_once(2, says, 'inspect', picture, '--good', 'good', '--method', method, '--method-option', text)
        self.fail_once(2, 'normalising flows', 'inspect', picture, '--good', 'good', '--method', 'cflow')

    def test_recipes(self):
        self.good(4)
        pictures = [self.write('a.png', part(9)), self.write('b.png', part(10, spot=(40, 40)))]
        for method, option in zip(MEMORIES, ('k=2', 'channels=20', 'coreset=50%', 'rotations=2')):
            said = []
            self.succeed('learn', '--good', 'good', '--method', method, '--method-option', option, '-o', 'a.flaw')
            for how in (('--good', 'good', '--method', method, '--method-option', option), ('--recipe', 'a.flaw')):
                lines = [json.loads(line) for line in self.succeed('inspect', *pictures, *how, '--json').splitlines()]
                said.append([(line['score'], line['threshold'], line['verdict']) for line in lines])
                self.assertEqual({line['method'] for line in lines}, {method})
            self.assertEqual(said[0], said[1])
            self.assertGreater(said[0][1][0], said[0][0][0], method)
        self.fail_once(2, '--method-option', 'inspect', pictures[0], '--recipe', 'a.flaw', '--method-option', 'k=1')

    def test_batch(self):
        pictures = self.good(5) + [self.write('good/bad.png', part(7, spot=(30, 60)))]
        lines = [json.loads(line) for line in self.succeed('inspect', *pictures, '--method', 'musc', '--json').splitlines()]
        self.assertEqual({line['rule'] for line in lines}, {'batch'})
        self.assertEqual({line['false_alarm_rate'] for line in lines}, {None})
        scores = [line['score'] for line in lines]
        self.assertEqual(max(scores), scores[-1])
        self.assertEqual(lines[-1]['verdict'], 'anomalous')
        broken = self.write('good/broken.png', b'no picture')
        status, again, errors = self.judge(*pictures, broken, '--method', 'musc')
        self.assertEqual((status, again[-1]['verdict'], len(errors)), (65, 'unknown', 1))
        self.assertEqual([line['score'] for line in again[:-1]], scores)  # one bad file changes nothing for the others
        for arguments, says in (((pictures[0], pictures[1]), 'at least 3 different ones, given are 2'),
                                ((pictures[0],) * 4, 'given are 1'), ((*pictures, '--good', 'good'), 'learns from the pictures'),
                                ((*pictures, '--alarm-rate', '5%'), 'cannot be promised')):
            self.fail_once(2, says, 'inspect', *arguments, '--method', 'musc')
        self.succeed('learn', '--good', *pictures[:1], *[w for p in pictures[1:] for w in ('--good', p)], '--method', 'musc',
                     '-o', 'b.flaw')
        line = json.loads(self.succeed('inspect', pictures[-1], '--recipe', 'b.flaw', '--json'))
        self.assertAlmostEqual(line['score'], scores[-1], places=6)
        self.assertEqual(line['rule'], 'batch')


if __name__ == '__main__':
    unittest.main()
