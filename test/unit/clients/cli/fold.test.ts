import t from 'tap'
import {folded} from '../../../../src/clients/cli/say.ts'

t.test('wide lines are broken at blanks, and what follows is indented', async t => {
  t.equal(folded('⚠  one two three four\n', 16), '⚠  one two three\n    four\n')
  t.equal(folded('short\n', 16), 'short\n')
  t.equal(
    folded('    a-word-that-is-wider-than-the-window\n', 20),
    '    a-word-that-is-w\n    ider-than-the-wi\n    ndow\n'
  )
  for (const width of [16, 20, 79]) {
    const text = `⚠  ${'word '.repeat(50)}${'x'.repeat(200)}\n    more ${'y '.repeat(90)}\n`
    t.same(
      folded(text, width)
        .split('\n')
        .filter(line => line.length > width),
      []
    )
  }
})

t.test('where there is no terminal, and in a tiny one, text stays as it is', async t => {
  const text = 'one two three four five\n'
  t.equal(folded(text, undefined), text)
  t.equal(folded(text, 0), text)
  t.equal(folded(text, 8), text)
})

t.test('a character that is wider than the terminal is broken, too', async t => {
  const long = `क${'ा'.repeat(40)}`
  for (const text of [long, `one ${long} two`, `    ${long}`])
    t.equal(folded(text, 20).replaceAll(/\s/g, ''), text.replaceAll(/\s/g, ''))
})
