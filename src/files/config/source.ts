import {messageOf} from '../../model/errors.ts'
import {readTextBytes} from '../../model/read-file.ts'
import {decodeText} from '../yaml/decode-text.ts'
import {TEMPLATE} from '../yaml/dialects.ts'
import type {YamlFault, Spot} from '../yaml/place.ts'
import {readYaml, withGoLines} from '../yaml/read.ts'
import {resolveScalar} from '../yaml/scalar.ts'
import type {YamlNode} from '../yaml/tree.ts'
import {unreadableTemplate, type Source} from './diagnose.ts'
import type {FoundTemplate} from './find.ts'
import {inGoWords} from './paths.ts'
import {withWholeNames} from './plain-template.ts'

/** The first document of a file of a template. */
export interface Yaml {
  readonly root: YamlNode
  /** The start of a second document, which Dapr ignores. */
  readonly next?: Spot | undefined
}

/** Dapr's words before the parser's message. */
export const BEFORE_SYNTAX = 'error in parsing the provided app config file: yaml: '

/** Reads the text of a template. Throws a `UserError` with Dapr's text if it cannot be read. */
export function readSource(found: FoundTemplate, readStdin: () => Buffer | string): Source {
  const bytes = found.shownAs === '-' ? fromStdin(readStdin) : fromFile(found)
  return {shownAs: found.shownAs, text: withGoLines(decodeText(bytes))}
}

function fromStdin(readStdin: () => Buffer | string): Buffer {
  try {
    return Buffer.from(readStdin())
  } catch (cause) {
    throw unreadableTemplate(`error in reading the provided app config from stdin: ${messageOf(cause)}`, {
      cause,
      shownAs: '-'
    })
  }
}

function fromFile({file, shownAs}: FoundTemplate): Buffer {
  try {
    return readTextBytes(file)
  } catch (cause) {
    const words = inGoWords(cause)
    const call = words === 'is a directory' ? 'read' : 'open'
    throw unreadableTemplate(`error in reading the provided app config file: ${call} ${shownAs}: ${words}`, {
      cause,
      shownAs
    })
  }
}

/** A text that is not YAML. `yamlMistake` explains the fault; its module is loaded only for that. */
export class NoYaml extends Error {
  readonly source: Source
  readonly fault: YamlFault

  constructor(source: Source, fault: YamlFault) {
    super(fault.message)
    this.source = source
    this.fault = fault
  }
}

/** Returns the first document of a text, which begins at `start` of the source. Throws `NoYaml` for a fault. */
export function parseSource(source: Source, {text, start} = {text: source.text, start: 0}): Yaml {
  const [document] = readYaml(text, TEMPLATE, start)
  if (document?.fault !== undefined) throw new NoYaml(source, document.fault)
  if (document === undefined)
    return {root: {kind: 'scalar', spot: {start, end: start}, text: '', style: 'plain', tag: ''}}
  return {...document, root: withWholeNames(source, document.root)}
}

/** Returns the template's `interpolate`: a boolean, or a file of variables with its place. The last of several files counts. */
export function interpolationOf(documents: readonly Yaml[]): boolean | {readonly path: string; readonly at: number} {
  const nodes = documents.flatMap(({root}) =>
    root.kind === 'map' ? root.pairs.flatMap(({name, node}) => (name === 'interpolate' ? [node] : [])) : []
  )
  const node = nodes.findLast(({kind}) => kind === 'scalar')
  const value = node?.kind === 'scalar' && resolveScalar(node).value
  return typeof value === 'string' ? {path: value, at: node?.spot.start ?? 0} : value === true
}
