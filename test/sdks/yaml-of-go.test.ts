import {execFileSync} from 'node:child_process'
import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {goCases, READERS, sortedJson, verdictOf, type Answers} from '../unit/files/yaml/go-cases.ts'
import {installed, publicSource, yamlOfGo} from './installed.ts'

type Column = 'template' | 'resource' | 'compose' | 'run' | 'component'
type Row = Readonly<Record<Column, Answers>>

/** What Go's libraries make of documents, by `test/fixtures/yaml-of-go`. */
function goAnswers(program: string, documents: readonly string[]): readonly Row[] {
  const input = documents.map(bytes => `${JSON.stringify({bytes})}\n`).join('')
  const output = execFileSync(join(program, 'yaml-of-go'), {input, encoding: 'utf8', maxBuffer: 2 ** 28})
  return output
    .trimEnd()
    .split('\n')
    .map(line => inOneForm(JSON.parse(line) as Row))
}

const inOneForm = (row: Row): Row =>
  Object.fromEntries(Object.entries(row).map(([column, answers]) => [column, answers.map(canonical)])) as unknown as Row

/** JSON with sorted keys, numbers as JavaScript writes them, but whole ones with all their digits. */
function canonical(answer: string): string {
  if (answer === '!') return answer
  const numbers: string[] = []
  const parse = JSON.parse as (
    text: string,
    reviver: (key: string, value: unknown, context: {source?: string}) => unknown
  ) => unknown
  const value = parse(answer, (_, each, {source = ''}) => {
    if (typeof each !== 'number') return each
    return `\u{1}${numbers.push(/^-?[1-9]\d*$/.test(source) ? source : String(each === 0 ? 0 : each)) - 1}\u{1}`
  })
  return sortedJson(value).replaceAll(/"\\u0001(\d+)\\u0001"/g, (_, index: string) => numbers[Number(index)] ?? '')
}

/** Cases with equal keys, of which Go takes now this, now that. */
const BY_CHANCE = [
  'keys-equal-number',
  'keys-equal-number-forms',
  'values-bool-keys',
  'values-int-keys',
  'values-special-keys',
  'values-text-keys'
]

t.test('the recorded answers are those of Go', async t => {
  const program = await installed(t, yamlOfGo)
  if (program === undefined) return
  const cases = goCases()
  const rows = goAnswers(
    program,
    cases.map(({bytes}) => bytes)
  )
  for (const [index, each] of cases.entries()) {
    const {template, resource = template, compose = template, run, component} = each
    const recorded = {template, resource, compose, run, component}
    for (const [column, answers] of Object.entries(recorded)) {
      if (answers === undefined || BY_CHANCE.includes(each.name)) continue
      t.strictSame(rows[index]?.[column as Column], answers, `${each.name}, ${column}`)
    }
  }
})

type Counts = Record<string, Record<string, number>>

/** For each dialect: how many documents ours reads as Go, and how it reads the others; both may refuse one. */
function counted(program: string, documents: readonly string[]): Counts {
  const counts: Counts = {}
  for (const [index, row] of goAnswers(program, documents).entries())
    for (const column of ['template', 'resource', 'compose'] as const) {
      const ours = READERS[column].read(Buffer.from(documents[index] ?? '', 'latin1'))
      const verdict = verdictOf(row[column], ours)
      const kind = verdict === 'same' && row[column].includes('!') ? 'both refuse' : verdict
      const numbers = (counts[column] ??= {})
      numbers[kind] = (numbers[kind] ?? 0) + 1
    }
  return counts
}

/** Texts of the files of a folder whose names match, a character for each byte. */
function textsIn(folder: string, pattern: RegExp): readonly string[] {
  const names = readdirSync(folder, {recursive: true, encoding: 'utf8'})
  return names
    .filter(name => pattern.test(name) && !name.startsWith('.git/'))
    .toSorted()
    .map(name => readFileSync(join(folder, name), 'latin1'))
}

t.test('the cases of the YAML test suite are read as Go reads them, but for a seventh', async t => {
  const program = await installed(t, yamlOfGo)
  const suite = await installed(
    t,
    publicSource({
      repository: 'yaml/yaml-test-suite',
      commit: '6ad3d2c62885d82fc349026c136ef560838fdf3d',
      paths: ['*/in.yaml']
    })
  )
  if (program === undefined || suite === undefined) return
  const documents = textsIn(suite, /in\.yaml$/)
  t.equal(documents.length, 402)
  t.strictSame(counted(program, documents), {
    template: {same: 246, 'both refuse': 98, takes: 40, refuses: 12, differs: 6},
    resource: {same: 231, 'both refuse': 120, takes: 33, refuses: 10, differs: 8},
    compose: {same: 239, 'both refuse': 106, takes: 44, refuses: 6, differs: 7}
  })
})

/** Repositories with many files of each kind. */
const REAL_FILES = [
  ['dapr/quickstarts', '56eb3ae3a4cc1783f2d65a6525deb51065fe0151'],
  ['dapr/samples', 'e925ff1a532ce6d840842e9fac9ee3f0daba6a22'],
  ['dapr/docs', '0748da594aae03529034fd4aa1d10d96199df0c1'],
  ['dapr/components-contrib', 'c23900d2760de2061143587c16c5e30ab3f092cf'],
  ['docker/awesome-compose', '18f59bdb09ecf520dd5758fbf90dec314baec545'],
  ['kubernetes/examples', '279e8e4fe314f6cb7bc55fa3fbc21bbeaa48c0ea']
] as const

/** Blocks of YAML in Markdown. */
const BLOCK = /^```ya?ml[^\n]*\n([\s\S]*?)^```/gm

t.test('real files are read as Go reads them', async t => {
  const program = await installed(t, yamlOfGo)
  const documents: string[] = []
  for (const [repository, commit] of REAL_FILES) {
    const folder = await installed(t, publicSource({repository, commit, paths: ['*.yaml', '*.yml', '*.md']}))
    if (folder === undefined || program === undefined) return
    documents.push(...textsIn(folder, /\.ya?ml$/))
    for (const page of textsIn(folder, /\.md$/))
      documents.push(...[...page.matchAll(BLOCK)].map(([, text = '']) => text))
  }
  t.equal(documents.length, 1954)
  t.strictSame(counted(program ?? '', documents), {
    template: {same: 1915, 'both refuse': 36, takes: 2, refuses: 1},
    resource: {same: 1914, 'both refuse': 37, takes: 2, refuses: 1},
    compose: {same: 1906, 'both refuse': 45, takes: 3}
  })
})
