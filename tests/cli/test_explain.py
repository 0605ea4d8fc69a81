"""flaw inspect --explain, --pin and --ban: tables, JSON and charts of what sentences did, and refusals."""
import json
import os
import unittest

import command
from command import part

KEYS = {'side', 'number', 'sentence', 'similarity', 'weight', 'pull', 'kept', 'ambiguous', 'pinned', 'banned', 'tips'}


class Explain(command.Command):
    def prompts(self):
        lists = {'class': '*', 'normal': ['a clean {}', 'a whole {}', 'an even {}', 'a smooth {}'],
                 'abnormal': ['a dirty {}', 'a {} with a crack', 'a {} with a hair crack', 'a bent {}']}
        return self.write('p.json', json.dumps({'format': 'flaw-prompts', 'version': 1, 'entries': [lists]}).encode())

    def explain(self, *arguments, **environment):
        status, lines, err = self.judge('a.png', '--explain', '--object', 'plate', *arguments, **environment)
        self.assertEqual((status, err, len(lines)), (0, [], 1))
        return lines[0]

    def setUp(self):
        super().setUp()
        self.write('a.png', part(1))

    def test_json(self):
        line = self.explain('--prompts', self.prompts(), '--rule', 'overlap')
        self.assertEqual((line['scoring']['rule'], line['scoring']['duplicate_cosine']), ('overlap', 0.99))
        self.assertEqual(len(line['explanation']), 8)
        pull = {'normal': 0, 'abnormal': 0}
        for one in line['explanation']:
            self.assertLessEqual(KEYS | {'score_without'}, set(one))
            self.assertLessEqual(set(one), KEYS | {'score_without', 'duplicate_of'})
            pull[one['side']] += one['pull']
            self.assertEqual(one['kept'], one['weight'] > 0)
            self.assertEqual(one['tips'], (one['score_without'] > line['threshold']) != (line['verdict'] == 'anomalous'))
        self.assertAlmostEqual(pull['normal'], line['scoring']['pull'][0], 6)
        self.assertAlmostEqual(sum(pull.values()), line['scoring']['margin'], 6)
        lengths = [abs(one['pull']) for one in line['explanation']]
        self.assertEqual(lengths, sorted(lengths, reverse=True))
        plain = self.judge('a.png', '--object', 'plate', '--prompts', 'p.json', '--rule', 'overlap')[1][0]
        self.assertEqual({k: v for k, v in line.items() if k not in ('explanation', 'scoring', 'ms')},
                         {k: v for k, v in plain.items() if k != 'ms'})

    def test_without_a_sentence(self):
        """What was foretold comes true when the sentence is banned, and the other way round."""
        for method in ([], ['--method', 'winclip'], ['--good', self.good_parts(2)]):
            line = self.explain('--prompts', self.prompts(), *method)
            for one in line['explanation'][:3]:
                other = self.explain('--prompts', 'p.json', '--ban', f'{one["side"]}: {one["sentence"]}', *method)
                self.assertAlmostEqual(other['score'], one['score_without'], 7)
                back = [x for x in other['explanation'] if x['banned']]
                self.assertEqual([(x['side'], x['sentence']) for x in back], [(one['side'], one['sentence'])])
                self.assertAlmostEqual(back[0]['score_with'], line['score'], 5)
                self.assertNotIn('score_without', back[0])

    def test_table(self):
        out = self.succeed('inspect', 'a.png', '--explain', '--prompts', self.prompts(), '--object', 'plate', '--rule',
                           'relevance', '--pin', 'abnormal: a rusty {}', '--ban', 'crack')
        self.assertRegex(out, r'\n    words: 2 of 4 normal sentences pull -\d\.\d{3}, 2 of 3 abnormal ones \+\d\.\d{3}: '
                              r'margin [+-]\d\.\d{3} \(rule relevance, "\*" of p.json\)\n')
        rows = [line for line in out.splitlines() if line.startswith(('    normal ', '    abnormal '))]
        self.assertEqual(len(rows), 9)
        columns = {row.find('  a ') for row in rows if '  a ' in row}
        self.assertEqual(len(columns), 1, out)  # the sentences stand under each other
        self.assertEqual(sum('(dropped' in row for row in rows), 3)
        self.assertEqual(sum('(banned' in row for row in rows), 2)
        self.assertEqual([row.split('  ')[-2] for row in rows if '(pinned' in row], ['a rusty plate'])
        self.assertNotIn('\033', out)
        many = self.succeed('inspect', 'a.png', '--explain', '--method', 'winclip')
        self.assertIn('\n    and 182 more; --json has all\n', many)

    def test_chart(self):
        line = self.explain('--out', 'o', '--prompts', self.prompts())
        self.assertEqual(line['files']['explain'], 'o/a.explain.png')
        width, height = command.png_size(self.path('o/a.explain.png'))
        self.assertEqual(width, 1320)
        self.explain('--out', 'o')
        self.assertGreater(command.png_size(self.path('o/a.explain.png'))[1], height)
        self.succeed('inspect', 'a.png', '--out', 'plain')
        self.assertFalse(os.path.exists(self.path('plain/a.explain.png')))

    def test_one_picture_in_doubt(self):
        self.write('words.txt', b'no picture')
        status, lines, err = self.judge('words.txt', 'a.png', '--explain', '--out', 'o')
        self.assertEqual((status, len(err)), (65, 1))
        self.assertIsNone(lines[0]['explanation'])
        self.assertEqual(len(lines[1]['explanation']), 50)
        self.assertEqual(sorted(os.listdir(self.path('o'))), ['a.explain.png', 'a_map.npy', 'a_mask.png', 'a_overlay.png'])

    def test_recipe(self):
        wishes = ['--pin', 'normal: a {} with a polished rim', '--ban', 'with a crack', '--prompts', self.prompts()]
        self.succeed('learn', '--good', self.good_parts(3), '--object', 'plate', '-o', 'plate.recipe', *wishes)
        direct = self.explain('--good', 'good', *wishes)
        status, lines, err = self.judge('a.png', '--recipe', 'plate.recipe', '--explain')
        self.assertEqual((status, err), (0, []))
        for key in ('score', 'scoring', 'explanation'):
            self.assertEqual(lines[0][key], direct[key])
        self.assertEqual([one['sentence'] for one in direct['explanation'] if one['banned']], ['a plate with a crack'])
        self.assertEqual([one['sentence'] for one in direct['explanation'] if one['pinned']], ['a plate with a polished rim'])
        for flag in ('--pin', '--ban'):
            self.fail_once(2, flag, 'inspect', 'a.png', '--recipe', 'plate.recipe', flag, 'normal: a new {}')

    def test_eval(self):
        for name in ('train/good/0.png', 'test/good/0.png', 'test/bad/0.png'):
            self.write(f'd/{name}', part(3, spot=(40, 40) if 'bad' in name else None))
        self.fail_once(2, '"no such sentence"', 'eval', 'd', '--method', 'alfa', '--ban', 'no such sentence')

    def test_variables(self):
        """A colon is part of a sentence; in the environment there is one a line."""
        line = self.explain('--prompts', self.prompts(), FLAW_PIN='normal: a {} of one piece\n\nabnormal: a {}: bent',
                            FLAW_BAN='smooth')
        self.assertEqual({one['sentence'] for one in line['explanation'] if one['pinned']},
                         {'a plate of one piece', 'a plate: bent'})
        self.assertEqual([one['sentence'] for one in line['explanation'] if one['banned']], ['a smooth plate'])

    def test_wrong_use(self):
        prompts, good = self.prompts(), self.good_parts(2)
        for name, arguments in (('"rust"', ['--ban', 'rust']),
                                ('no normal sentence', ['--ban', 'normal: a']),
                                ('"normal: ..." or "abnormal: ..."', ['--pin', 'a rusty {}']),
                                ('pinned and banned', ['--pin', 'a bent {}', '--ban', 'bent']),
                                ('--ban', ['--ban', '']),
                                ('few-shot', ['--good', good, '--method', 'few-shot', '--ban', 'bent'])):
            self.fail_once(2, name, 'inspect', 'a.png', '--prompts', prompts, '--object', 'plate', *arguments)
        self.fail_once(2, 'few-shot', 'inspect', 'a.png', '--good', good, '--method', 'few-shot', '--explain')
        self.fail_once(2, '--short', 'inspect', 'a.png', '--short', '--explain')


if __name__ == '__main__':
    unittest.main()
