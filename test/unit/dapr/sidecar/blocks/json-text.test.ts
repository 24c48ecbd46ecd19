import t from 'tap'
import {compactJson, itemTexts, memberTexts} from '../../../../../src/dapr/sidecar/blocks/json-text.ts'

const VALUES = [
  '1.50',
  '-0',
  '1e400',
  'null',
  'true',
  '""',
  String.raw`"\""`,
  String.raw`"\\"`,
  String.raw`"a\\\"]},:\u00e4"`,
  '"ä€😀"',
  '[]',
  '{}',
  '[1,[2,{"a":"]"}],"}"]',
  String.raw`{"a":{"b\"":[1]},"c":"\\"}`
]

t.test('members and items stand as they are written, whatever is between them', async t => {
  for (const white of ['', ' ', '\r\n\t ']) {
    const at = (token: string): string => white + token + white
    const pairs = VALUES.map((value, index) => `${at(JSON.stringify(`k${index}`))}:${at(value)}`)
    t.same([...memberTexts(at(`{${pairs.join(',')}}`)).values()], VALUES)
    t.same(itemTexts(at(`[${VALUES.map(at).join(',')}]`)), VALUES)
    t.same([...memberTexts(at(`{${white}}`))], [])
    t.same(itemTexts(at(`[${white}]`)), [])
  }
})

t.test('keys are read, of equal ones the last counts', async t => {
  const members = memberTexts(String.raw`{"a\"b":1,"é":[2],"a\"b":3,"__proto__":4}`)
  t.same(
    [...members],
    [
      ['a"b', '3'],
      ['é', '[2]'],
      ['__proto__', '4']
    ]
  )
})

t.test('what is no object has no members, what is no array no items', async t => {
  for (const text of ['null', '1', '"{"', '[{"a":1}]', '']) t.equal(memberTexts(text).size, 0, text)
  for (const text of ['null', '1', '"["', '{"a":[1]}', '']) t.same(itemTexts(text), [], text)
})

t.test('any JSON comes back in its parts', async t => {
  let seed = 7
  const random = (below: number): number => (seed = (seed * 48_271) % 0x7f_ff_ff_ff) % below
  const make = (depth: number): unknown => {
    const kind = random(depth > 3 ? 4 : 6)
    if (kind === 0) return random(1000) / 7
    if (kind === 1) return [null, true, false][random(3)]
    if (kind < 4)
      return String.fromCharCode(...Array.from({length: random(8)}, () => [34, 92, 93, 44, 9, 228, 97][random(7)] ?? 0))
    const values = Array.from({length: random(5)}, () => make(depth + 1))
    return kind === 4 ? values : Object.fromEntries(values.map((value, index) => [`"${index}\\`, value]))
  }
  for (let round = 0; round < 2000; round++) {
    const value = make(0)
    const text = JSON.stringify(value, undefined, round % 3)
    const parts = Array.isArray(value) ? itemTexts(text) : [...memberTexts(text).values()]
    const expected = typeof value === 'object' && value !== null ? Object.values(value) : []
    const found = parts.map(part => JSON.parse(part) as unknown)
    if (JSON.stringify(found) !== JSON.stringify(expected)) t.same(found, expected, text)
    if (compactJson(text) !== JSON.stringify(value)) t.equal(compactJson(text), JSON.stringify(value))
  }
})

t.test('a text of 32 MB is compacted', async t => {
  const long = 'x'.repeat(32_000_000)
  t.ok(compactJson(`{ "a" : "${long}" }`) === `{"a":"${long}"}`)
})
