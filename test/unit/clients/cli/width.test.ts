import t from 'tap'
import {folded} from '../../../../src/clients/cli/say.ts'
import {grid} from '../../../../src/clients/cli/live/texts.ts'
import {Prompt} from '../../../../src/clients/cli/live/prompt.ts'
import {fittingTable} from '../../../../src/clients/cli/table.ts'
import {cut, padEnd, padStart, widthOf} from '../../../../src/clients/cli/width.ts'

t.test('wide characters take two columns, accents none', async t => {
  t.equal(widthOf('shop'), 4)
  t.equal(widthOf('店-api'), 6)
  t.equal(widthOf('e\u0301'), 1)
  t.equal(widthOf('👩‍🚀'), 2)
  t.equal(padEnd('店', 4), '店  ')
  t.equal(padStart('店', 4), '  店')
})

t.test('a cut never makes half a character', async t => {
  t.equal(cut('お店の注文', 10), 'お店の注文')
  t.equal(cut('お店の注文', 9), 'お店の注…')
  t.equal(cut('お店の注文', 8), 'お店の…')
  t.equal(cut('a👩‍🚀b', 3), 'a…')
  t.equal(cut('shop', 3), 'sh…')
  t.equal(cut('shop', 0), '…')
})

t.test('tables, pairs, folded lines and prompts fit with wide characters', async t => {
  const cells = ['注文', 'api']
  const columns = [
    {head: 'ID', cells, minWidth: 4},
    {head: 'STATE', cells: ['ready', 'ready']}
  ]
  t.equal(fittingTable(columns, 80), 'ID    STATE\n注文  ready\napi   ready\n')
  const pairs = [
    ['注文', '1'],
    ['api', '2']
  ] as const
  t.equal(grid(pairs, 9), '  注文  1\n  api   2\n')
  t.equal(folded('お店の注文は お店の注文は', 16), 'お店の注文は\n    お店の注文は')
  for (const line of folded('注文'.repeat(40), 17).split('\n')) t.ok(widthOf(line) <= 17, line)
  const prompt = new Prompt('?', () => undefined)
  prompt.insert('お店の😀')
  prompt.insert('\x7f')
  t.equal(prompt.shown(6), '…店の')
})
