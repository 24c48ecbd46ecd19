import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {TEMPLATE, type Dialect} from '../../../../src/files/yaml/dialects.ts'
import {COMPOSE_FILE, RESOURCE} from '../../../../src/files/yaml/other-dialects.ts'
import {decodeText} from '../../../../src/files/yaml/decode-text.ts'
import {readYaml} from '../../../../src/files/yaml/read.ts'
import {resolveScalar, TRUE_OR_FALSE} from '../../../../src/files/yaml/scalar.ts'
import {scalarJson} from '../../../../src/files/yaml/scalar-text.ts'
import type {YamlNode, YamlScalar} from '../../../../src/files/yaml/tree.ts'

export const DIALECTS = {template: TEMPLATE, resource: RESOURCE, compose: COMPOSE_FILE}

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
  /** Where ours knowingly answers otherwise. */
  readonly ours?: Readonly<Record<string, 'takes' | 'refuses' | 'differs'>>
}

/** Recorded with yaml.v2 2.4.0, sigs.k8s.io/yaml 1.4.0 behind daprd's way to cut files, and go.yaml.in/yaml/v4 rc.4. */
export const goCases = (): readonly GoCase[] =>
  readFileSync(join(import.meta.dirname, '../../../fixtures/yaml-of-go.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as GoCase)

/** The same of our reader. */
export function answersOf(bytes: Buffer, dialect: Dialect): Answers {
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
  const pairs = new Map(node.pairs.map(pair => [pair.name, json(pair.node, dialect)]))
  return `{${[...pairs]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, text]) => `${JSON.stringify(name)}:${text}`)
    .join()}}`
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
