import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {TEMPLATE, type Dialect} from '../../../../src/files/yaml/dialects.ts'
import {COMPOSE_FILE, RESOURCE} from '../../../../src/files/yaml/other-dialects.ts'
import {decodeText} from '../../../../src/files/yaml/decode-text.ts'
import {decodeTemplate} from '../../../../src/files/config/decode.ts'
import {parseSource} from '../../../../src/files/config/source.ts'
import {readComponents, type ComponentResource} from '../../../../src/files/resources/components.ts'
import {parseResourceFile} from '../../../../src/files/resources/resource-file.ts'
import {readYaml, withGoLines} from '../../../../src/files/yaml/read.ts'
import {isMap, mapOf, valuesOf, variablePairs} from '../../../../src/packages/import/reading/yaml-file.ts'
import {resolveScalar, TRUE_OR_FALSE} from '../../../../src/files/yaml/scalar.ts'
import {scalarJson} from '../../../../src/files/yaml/scalar-text.ts'
import type {YamlNode, YamlScalar} from '../../../../src/files/yaml/tree.ts'

/** What one of Go's libraries makes of a document: a JSON text for each document that is not empty, `!` for one that it refuses. */
export type Answers = readonly string[]

/** A document, and Go's answers where they are not those of the template. */
export interface GoCase {
  readonly name: string
  /** In Latin-1, a character for each byte. */
  readonly bytes: string
  readonly template: Answers
  readonly resource?: Answers
  readonly compose?: Answers
  /** What the owners of the files take from them: the apps of a template, the components of a file, the services of a project. */
  readonly run?: Answers
  readonly component?: Answers
  readonly model?: Answers
  /** Where ours knowingly answers otherwise. */
  readonly ours?: Readonly<Record<string, Verdict>>
}

/** Recorded with yaml.v2 2.4.0, sigs.k8s.io/yaml 1.4.0 behind daprd's way to cut files, and go.yaml.in/yaml/v4 rc.4; `model` with compose-go 2.16.2. */
export const goCases = (): readonly GoCase[] =>
  readFileSync(join(import.meta.dirname, '../../../fixtures/yaml-of-go.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as GoCase)

/** The same of our reader. */
function answersOf(bytes: Buffer, dialect: Dialect): Answers {
  const documents = readYaml(decodeText(bytes), dialect)
  const answers = documents.map(({root}) => (root === undefined ? '!' : answerOf(root, dialect)))
  if (dialect.documents === 'all' && answers.includes('!')) return ['!']
  return answers.filter(answer => answer !== 'null')
}

function answerOf(root: YamlNode, dialect: Dialect): string {
  try {
    return json(root, dialect)
  } catch {
    return '!'
  }
}

function json(node: YamlNode, dialect: Dialect): string {
  if (node.kind === 'scalar') return scalar(node, dialect)
  if (node.kind === 'list') return `[${node.items.map(item => json(item.node, dialect)).join()}]`
  if (node.pairs.some(({complexKey}) => complexKey !== undefined)) throw new Error('no key')
  return objectJson(new Map(node.pairs.map(pair => [pair.name, pair.node])), (each: YamlNode) => json(each, dialect))
}

function scalar(node: YamlScalar, dialect: Dialect): string {
  const {tag, value} = resolveScalar(node)
  if (tag === '!!timestamp' && dialect === COMPOSE_FILE) return '"a date"'
  if (tag === '!!bool' && !dialect.hasYesAndNo && !TRUE_OR_FALSE.test(node.text)) return JSON.stringify(node.text)
  if (typeof value !== 'number') return JSON.stringify(value)
  const text = scalarJson(node)
  if (text === undefined && dialect === RESOURCE) throw new Error('no number of JSON')
  return text === '-0' ? '0' : (text ?? `"${String(value)}"`)
}

const guarded = (read: () => Answers): Answers => {
  try {
    return read()
  } catch {
    return ['!']
  }
}

/** A value as JSON with sorted keys, also those that are numbers. */
export function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join()}]`
  return isMap(value) ? objectJson(new Map(Object.entries(value))) : JSON.stringify(value)
}

const objectJson = (values: ReadonlyMap<string, unknown>, toJson: (value: never) => string = sortedJson): string =>
  `{${[...values]
    .filter(([, each]) => each !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, each]) => `${JSON.stringify(name)}:${toJson(each as never)}`)
    .join()}}`

/** The apps of a template, without keys that have no effect, as Dapr's command line prints them. */
const runOf = (bytes: Buffer): Answers =>
  guarded(() => {
    const source = {shownAs: 'dapr.yaml', text: withGoLines(decodeText(bytes))}
    const {top, common, apps} = decodeTemplate({source, faults: []}, parseSource(source).root)
    const read = {version: top.values.version, common: common.values, apps: apps.map(({values}) => values)}
    return [sortedJson(withoutZero(read))]
  })

const withoutZero = (value: unknown): unknown => {
  if (!isMap(value)) return Array.isArray(value) ? value.map(withoutZero) : value
  const pairs = Object.entries(value).filter(
    ([, each]) => each !== undefined && each !== 0 && each !== '' && each !== false
  )
  return Object.fromEntries(pairs.map(([key, each]) => [key, withoutZero(each)]))
}

/** The components of a file; `!` for a document that is none. */
function componentsOf(bytes: Buffer): Answers {
  const file = parseResourceFile({file: 'c.yaml', text: decodeText(bytes)})
  const broken = file.faults.map(({place}) => ({line: place.line, answer: '!'}))
  const answers = file.documents.map(document => {
    const before = file.faults.length
    const [component] = readComponents({...file, documents: [document]}, () => undefined)
    const isRefused = file.faults.slice(before).some(({severity}) => severity === 'error')
    return {line: document.place.line, answer: component === undefined || isRefused ? '!' : componentJson(component)}
  })
  return [...broken, ...answers].toSorted((a, b) => a.line - b.line).map(({answer}) => answer)
}

const componentJson = ({name, type, version, ignoresErrors, scopes, properties}: ComponentResource): string =>
  sortedJson({
    name,
    type,
    version,
    ignoreErrors: ignoresErrors,
    scopes,
    metadata: properties.map(property => ({name: property.name, value: property.value}))
  })

/** Variables, commands and labels of the services of a project. */
const modelOf = (bytes: Buffer): Answers =>
  guarded(() => {
    const {services} = valuesOf({path: 'compose.yaml', shownAs: 'compose.yaml', text: decodeText(bytes)})
    const models = Object.entries(mapOf(services)).map(([name, service]) => {
      const {environment, command, labels} = mapOf(service)
      return [name, {environment, command, ...(labels !== undefined && {labels: variablePairs(labels)})}]
    })
    return [sortedJson(Object.fromEntries(models))]
  })

/** Who reads a document: a dialect alone, or the owner of such files. */
export const READERS = {
  template: {read: bytes => answersOf(bytes, TEMPLATE), isDialect: true},
  resource: {read: bytes => answersOf(bytes, RESOURCE), isDialect: true},
  compose: {read: bytes => answersOf(bytes, COMPOSE_FILE), isDialect: true},
  run: {read: runOf, isDialect: false},
  component: {read: componentsOf, isDialect: false},
  model: {read: modelOf, isDialect: false}
} as const satisfies Readonly<Record<string, {readonly read: (bytes: Buffer) => Answers; readonly isDialect: boolean}>>

export type Reader = keyof typeof READERS

export type Verdict = 'same' | 'takes' | 'refuses' | 'differs'

/** What ours does where Go answers so. */
export function verdictOf(go: Answers, ours: Answers): Verdict {
  if (go.join('\n') === ours.join('\n')) return 'same'
  if (go.includes('!') && !ours.includes('!')) return 'takes'
  return ours.includes('!') && !go.includes('!') ? 'refuses' : 'differs'
}
