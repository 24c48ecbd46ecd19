import t from 'tap'
import {TEMPLATE} from '../../../../src/files/yaml/dialects.ts'
import {readYaml} from '../../../../src/files/yaml/read.ts'
import {resolveScalar, type ResolvedScalar} from '../../../../src/files/yaml/scalar.ts'

const read = (text: string): {resolved: ResolvedScalar; text: string} => {
  const root = readYaml(`a: ${text}\n`, TEMPLATE)[0]?.root
  const node = root?.kind === 'map' ? root.pairs[0]?.node : undefined
  if (node?.kind !== 'scalar') throw new Error('no scalar')
  return {resolved: resolveScalar(node), text: node.text}
}

t.test('a plain scalar is what YAML 1.1 and Go take it for', async t => {
  const table: readonly (readonly [string, string, string | number | boolean | null])[] = [
    ['yes', '!!bool', true],
    ['On', '!!bool', true],
    ['y', '!!bool', true],
    ['TRUE', '!!bool', true],
    ['off', '!!bool', false],
    ['No', '!!bool', false],
    ['tRUE', '!!str', 'tRUE'],
    ['~', '!!null', null],
    ['Null', '!!null', null],
    ['3000', '!!int', 3000],
    ['-1', '!!int', -1],
    ['-0', '!!int', 0],
    ['+7', '!!int', 7],
    ['010', '!!int', 8],
    ['0o17', '!!int', 15],
    ['0x1F', '!!int', 31],
    ['-0x10', '!!int', -16],
    ['0b101', '!!int', 5],
    ['1_000', '!!int', 1000],
    ['08', '!!float', 8],
    ['1.5', '!!float', 1.5],
    ['1e3', '!!float', 1000],
    ['.5', '!!float', 0.5],
    ['.inf', '!!float', Infinity],
    ['-.INF', '!!float', -Infinity],
    ['99999999999999999999', '!!float', 1e20],
    ['1.0.0', '!!str', '1.0.0'],
    ['3000x', '!!str', '3000x'],
    ['_1', '!!str', '_1'],
    ['2026-11-20', '!!timestamp', '2026-11-20'],
    ['12:30', '!!str', '12:30'],
    ['node app.mjs', '!!str', 'node app.mjs']
  ]
  for (const [text, tag, value] of table) t.strictSame(read(text).resolved, {tag, value}, text)
  t.match(read('.NaN').resolved, {tag: '!!float', value: NaN})
})

t.test('quotes and a block make a text, a tag makes what it says', async t => {
  t.strictSame(read('"3000"').resolved, {tag: '!!str', value: '3000'})
  t.strictSame(read("'yes'").resolved, {tag: '!!str', value: 'yes'})
  t.strictSame(read('|\n  5').resolved, {tag: '!!str', value: '5\n'})
  t.strictSame(read('!!str 5').resolved, {tag: '!!str', value: '5'})
  t.strictSame(read('!!int "5"').resolved, {tag: '!!int', value: 5})
  t.strictSame(read('!secret x').resolved, {tag: '!secret', value: 'x'})
})

t.test('the text of a scalar is its source, without quotes and escapes', async t => {
  for (const [written, text] of [
    ['0x10', '0x10'],
    ['yes', 'yes'],
    ['"a\\tb"', 'a\tb'],
    ["'it''s'", "it's"],
    ['', '']
  ] as const)
    t.equal(read(written).text, text, written)
})
