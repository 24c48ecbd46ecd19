import t from 'tap'
import type {Field} from '../../../../src/files/resources/field.ts'
import {parseResourceFile} from '../../../../src/files/resources/resource-file.ts'

const read = (text: string): {root: Field; faults: () => string[]} => {
  const file = parseResourceFile({file: 'r.yaml', text})
  const [root] = file.documents
  if (root === undefined) throw new Error('no document')
  const faults = (): string[] =>
    file.faults.map(
      ({severity, message, place, expected, hint}) =>
        `${severity} ${place.line}:${place.column} ${message}${expected && `; ${expected}`}${hint && `; ${hint}`}`
    )
  return {root, faults}
}

/** What is wrong with a text. */
const faultsOf = (text: string): readonly string[] =>
  parseResourceFile({file: 'r.yaml', text}).faults.map(
    ({message, place: {line, column}}) => `${line}:${column} ${message}`
  )

t.test('fields are found as Go finds them', async t => {
  const {root, faults} = read('kind: X\nspec:\n  baseURL: http://a\n  size: 0x10\n  s: 010\n  b: yes\n  b: no\n')
  const spec = root.field('spec')
  t.equal(spec.field('baseUrl').text(), 'http://a', 'in any capitals')
  t.equal(spec.field('size').integer(), 16)
  t.equal(spec.field('s').text(), '8', 'a number is written as Go writes it')
  t.equal(spec.field('b').boolean(), false, 'the last of equal keys counts')
  t.equal(spec.field('none').field('deeper').text(), '')
  t.equal(spec.field('none').isAbsent, true)
  t.strictSame(spec.field('none').items(), [])
  t.strictSame(faults(), [])
})

t.test('merge keys and aliases', async t => {
  const {root} = read('base: &b {a: 1, c: 2}\nother: &o {a: 9, d: 4}\nspec:\n  <<: [*b, *o]\n  c: 3\nlist: [*b]\n')
  const spec = root.field('spec')
  t.same(Object.fromEntries([...spec.entries()].map(([name, field]) => [name, field.integer()])), {a: 1, c: 3, d: 4})
  t.equal(root.field('list').items()[0]?.field('c').integer(), 2)
  t.strictSame(faultsOf('a: &a\n  <<: *a\n'), ["2:7 not valid YAML: anchor 'a' value contains itself"])
  t.strictSame(faultsOf('a: *x\n'), ["1:4 not valid YAML: unknown anchor 'x' referenced"])
})

t.test('merge keys that multiply come to an end', async t => {
  const levels = Array.from({length: 30}, (_, n) => {
    const below = `*l${n - 1}`
    return `l${n}: &l${n} {${n === 0 ? 'a: 1' : `<<: [${Array(9).fill(below).join(', ')}]`}}`
  })
  t.match(faultsOf(`${levels.join('\n')}\n`), [/document contains excessive aliasing$/])
})

t.test('what is wrong has its place', async t => {
  const {root, faults} = read('spec:\n  size: "3"\n  list: x\n  map: [1]\n  deley: 5s\n  text: {a: 1}\n')
  const spec = root.field('spec')
  spec.field('size').integer()
  spec.field('list').items()
  spec.field('map').field('x')
  spec.field('text').text()
  spec.field('text').boolean()
  spec.warnUnknownKeys(['size', 'list', 'map', 'text', 'delay'])
  t.strictSame(faults(), [
    'error 2:9 spec.size has a value of a wrong type; expected a whole number; write it without quotes: 3',
    'error 3:9 spec.list has a value of a wrong type; expected a list',
    'error 4:8 spec.map has a value of a wrong type; expected a mapping of keys to values',
    'error 6:9 spec.text has a value of a wrong type; expected a text',
    'error 6:9 spec.text has a value of a wrong type; expected true or false',
    'warning 5:3 unknown key spec.deley: it has no effect; did you mean delay?'
  ])
})

t.test('text that is not YAML', async t => {
  const file = parseResourceFile({file: 'r.yaml', text: '\uFEFFkind: X\n---\na: [1\nb: 2\n'})
  t.equal(file.documents.length, 1, 'the documents before it can be read')
  t.equal(parseResourceFile({file: 'r.yaml', text: 'a: [1\n---\nb: 2\n'}).documents.length, 1, 'and those after it')
  const [fault] = file.faults
  t.match(fault, {severity: 'error', message: /^not valid YAML: /, place: {file: 'r.yaml'}})
  t.ok((fault?.place.line ?? 0) >= 3)
  t.strictSame(parseResourceFile({file: 'r.yaml', text: ''}).faults, [])
})

t.test('lines in quotes and brackets may be indented as Go takes them', async t => {
  const text = `spec:
  - name: routes
    value: '{
      "/a": "/b"
   }'
  - {name: list,
value: [1,
2]}
`
  const {documents, faults} = parseResourceFile({file: 'r.yaml', text})
  t.strictSame(faults, [])
  t.strictSame(documents[0]?.plain(), {
    spec: [
      {name: 'routes', value: '{ "/a": "/b" }'},
      {name: 'list', value: [1, 2]}
    ]
  })
  const broken = parseResourceFile({file: 'r.yaml', text: `${text}---\na: 'b\n`})
  t.equal(broken.documents.length, 1, 'the one before a mistake counts')
  t.match(broken.faults, [{message: "not valid YAML: this ' is never closed"}])
})

t.test('a Git merge conflict is told as such, also in a later document', async t => {
  const {faults} = read('kind: X\n---\nkind: Y\n<<<<<<< HEAD\nspec: 1\n=======\nspec: 2\n>>>>>>> topic\n')
  t.strictSame(faults(), [
    'error 4:1 not valid YAML: this is a Git merge conflict; keep one of the two sides, and remove the lines <<<<<<<, ======= and >>>>>>>'
  ])
})

t.test('a value of any type is a text, or its JSON as Go writes it', async t => {
  const {root, faults} = read(
    'a: {z: [1.0, ~, yes, "<"], b: x}\nb: 010\nc: 1.10\nd: "010"\ne: 1e21\nf: on\nspec: .inf\nh: [x]\n'
  )
  const values = ['a', 'b', 'c', 'd', 'e', 'f', 'h', 'none'].map(key => root.field(key).dynamic())
  t.strictSame(values, ['{"b":"x","z":[1,null,true,"\\u003c"]}', '8', '1.1', '010', '1e+21', 'true', '["x"]', ''])
  t.strictSame(faults(), [])
  root.field('spec').dynamic()
  t.strictSame(faults(), ['error 7:7 spec is no number of JSON'])
})

t.test('a bracket or a quote that is never closed is shown where it opened', async t => {
  t.strictSame(faultsOf('kind: X\n---\nspec:\n  metadata: [a,\n  b\nmore: 1\n'), [
    '4:13 not valid YAML: this [ is never closed'
  ])
  t.strictSame(faultsOf('a: 1\nb: "x\nc: 2\n'), ['2:4 not valid YAML: this " is never closed'])
  t.strictSame(faultsOf('a: {b: 1\nc: "2"\n'), ['1:4 not valid YAML: this { is never closed'])
})

t.test('a file with thousands of faults has the first hundred', async t => {
  t.equal(faultsOf('[\n---\n'.repeat(1000)).length, 100)
  const {root, faults} = read(Array.from({length: 1000}, (_, index) => `key${index}: 1\n`).join(''))
  root.warnUnknownKeys(['spec'])
  t.equal(faults().length, 100)
})

t.test('a document that is broken is a fault, however many variables of the file are not set', async t => {
  const values = Array.from({length: 200}, (_, index) => `key${index}: \${NONE${index}}\n`).join('')
  const {faults} = parseResourceFile({file: 'r.yaml', text: `${values}---\na: [1\n`}, {})
  t.same(
    faults.filter(({severity}) => severity === 'error').map(({message, place}) => [place.line, message]),
    [[202, 'not valid YAML: this [ is never closed']]
  )
})
