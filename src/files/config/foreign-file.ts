import {basename} from 'node:path'
import {UserError} from '../../model/errors.ts'
import {shellQuoted} from '../../model/shell-quoted.ts'
import {TEMPLATE_NAMES} from '../../model/template-name.ts'
import {explain, placed, type Mistake, fileAt, placeOf, templateError} from './diagnose.ts'
import type {Opened} from './several-files.ts'
import {TOO_DEEP} from '../yaml/build-tree.ts'
import {explainFault} from '../yaml/explain.ts'
import {BEFORE_SYNTAX, type NoYaml} from './source.ts'

/** Top-level keys of other tools' files, with the kind of file. */
const FILES = new Map([
  ['services', {what: 'a compose file', name: 'compose.yaml'}],
  ['processes', {what: 'a process-compose file', name: 'process-compose.yaml'}]
])

/** Explains that a file belongs to another tool or is a resource of Dapr, and what to do with it. Other errors stay as they are. */
export function explainForeign(error: unknown, files: readonly Opened[]): unknown {
  const [first] = files.flatMap(foreignIn)
  if (first === undefined || !(error instanceof UserError)) return error
  const [{source}, mistake] = first
  return new UserError(error.message, {
    stream: error.stream,
    exitCode: error.exitCode,
    mistakes: [placed(source, mistake)],
    explanation: explain(source, mistake)
  })
}

/** Finds a Component, or another resource of Dapr, in place of a template. */
function resourceIn({source, document: {root}}: Opened): Mistake | undefined {
  const textOf = (key: string): string => {
    const node = root.kind === 'map' ? root.pairs.find(({name}) => name === key)?.node : undefined
    return node?.kind === 'scalar' ? node.text : ''
  }
  const kind = textOf('kind')
  if (kind === '' || !textOf('apiVersion').startsWith('dapr.io/')) return undefined
  const isConfiguration = kind === 'Configuration'
  const where = isConfiguration ? 'name it by configFilePath' : 'put it into a folder that resourcesPath names'
  const start = Math.max(0, source.text.search(/^["']?kind/m))
  return {
    message: `this is a ${kind} of Dapr, not a template`,
    spot: {start, end: start + 'kind'.length},
    expected: `this is a ${kind} of Dapr, not a template`,
    hint: `${where}; pillion import -o run.yaml writes a template`
  }
}

function foreignIn(file: Opened): readonly (readonly [Opened, Mistake])[] {
  const {source, document} = file
  if (document.root.kind !== 'map') return []
  const keys = document.root.pairs.map(({name}) => name)
  const resource = keys.includes('apps') ? undefined : resourceIn(file)
  if (resource !== undefined) return [[file, resource]]
  const key = keys.includes('apps') ? undefined : keys.find(each => FILES.has(each))
  const {what, name} = FILES.get(key ?? '') ?? {}
  if (key === undefined || name === undefined) return []
  const isInTheWay = source.shownAs === '-' || (TEMPLATE_NAMES as readonly string[]).includes(basename(source.shownAs))
  const hint = isInTheWay
    ? `call it ${name}, and write a template from it: pillion import`
    : `write a template from it: pillion import ${shellQuoted(source.shownAs)}`
  // offsets in a second file count the text of the first file, too
  const start = Math.max(0, source.text.search(new RegExp(`^["']?${key}`, 'm')))
  const expected = `this is ${what}, not a template`
  return [[file, {message: expected, spot: {start, end: start + key.length}, expected, hint}]]
}

/** Returns the error for a text that is not YAML, with its place and the right form. */
export function yamlMistake({source, fault}: NoYaml): UserError {
  const {text, start} = fileAt(source, fault.spot.start) ?? {...source, start: 0}
  const {message, spot, ...remedy} = explainFault(fault, text, start)
  // Go names no line for unreadable characters, nor for mistakes in the tree
  const line =
    fault.syntax === undefined && message === fault.message && message !== TOO_DEEP
      ? ''
      : `line ${placeOf(source, spot.start).line}: `
  return templateError(source, {code: fault.code, message: BEFORE_SYNTAX + line + message, spot, ...remedy})
}
