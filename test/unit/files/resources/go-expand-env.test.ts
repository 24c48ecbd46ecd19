import t from 'tap'
import {expandVariables} from '../../../../src/files/resources/loaded-file.ts'

const TABLE: readonly (readonly [text: string, expanded: string])[] = [
  ['none', 'none'],
  ['$A', '1'],
  ['${A}', '1'],
  ['$A-${A}x$Ax', '1-1x'],
  ['${MISSING}.', '.'],
  ['a$', 'a$'],
  ['$ $"$/', '$ $"$/'],
  ['^/a$\n', '^/a$\n'],
  ['$*', ''],
  ['${}x', 'x'],
  ['${A', 'A'],
  ['$constructor${toString}$__proto__', ''],
  ['$1A', 'A']
]

t.test('variables are replaced as os.ExpandEnv does', async t => {
  for (const [text, expanded] of TABLE) t.equal(expandVariables(text, {A: '1'}), expanded, text)
})

t.test('braces that are never closed take time in proportion to the text', async t => {
  t.equal(expandVariables('${'.repeat(300_000), {A: '1'}), '')
})
