import {basename, resolve} from 'node:path'
import {isMap, isScalar, isSeq, Pair as Entry, Scalar, visit, YAMLMap, YAMLSeq} from 'yaml'
import {fileAt, templateError, type Source, type SourceFile, type Spot} from './diagnose.ts'
import type {FoundTemplate} from './find.ts'
import {TOP_KEYS, OUR_TOP_KEYS} from './keys.ts'
import {follow, isNull, itemsOf, mapPairs, spotOf, type Reading} from './nodes.ts'
import {scalarSource} from './scalar.ts'
import type {Yaml} from './source.ts'

/** One file of a template of several. */
export interface Opened {
  readonly found: FoundTemplate
  readonly source: Source
  readonly document: Yaml
}

/** The texts of all files as one; the nodes of all documents get the offsets that they have there. */
export function joinSources(all: readonly Opened[]): Source {
  const files: SourceFile[] = []
  let start = 0
  for (const {found, source, document} of all) {
    files.push({...source, folder: found.folder, start})
    if (start > 0) move(document, start)
    start += source.text.length + 1
  }
  return {shownAs: files[0]?.shownAs ?? '', text: files.map(({text}) => text).join('\n'), files}
}

function move(document: Yaml, by: number): void {
  for (const error of document.errors) error.pos = [error.pos[0] + by, error.pos[1] + by]
  visit(document, {
    Node: (_, node) => {
      if (node.range) node.range = [node.range[0] + by, node.range[1] + by, node.range[2] + by]
    }
  })
}

/**
 * The template that the files give together: each file changes what the ones before it say. Maps are merged by key and apps
 * by id; everything else is replaced, also by `false`, `0`, `""` and nothing. Apps with new ids come last.
 */
export function mergeFiles(reading: Reading, documents: readonly Yaml[]): unknown {
  const [first, ...overlays] = documents.map(({contents}) => contents as unknown)
  return overlays.reduce((base, over, index) => mergeTemplate(reading, base, checked(reading, over, index + 1)), first)
}

const KNOWN: readonly string[] = [...Object.keys(TOP_KEYS), ...OUR_TOP_KEYS, 'common', 'apps']

/** Refuses a file that says nothing of a template: it is probably another one than was meant. */
function checked(reading: Reading, node: unknown, index: number): unknown {
  const root = follow(reading, node)
  if (root === null || !isMap(root) || mapPairs(reading, root).some(({name}) => KNOWN.includes(name))) return root
  const {shownAs = '', start = 0} = reading.source.files?.[index] ?? {}
  throw templateError(reading.source, {
    code: 'invalid-value',
    message: `${shownAs} is not a template: it has none of a template's keys`,
    spot: spotOf(root, {start, end: start + 1}),
    expected: 'expected common, apps or another key of a template at the left margin'
  })
}

function mergeTemplate(reading: Reading, base: unknown, over: unknown): unknown {
  if (over === null) return base // the file is empty
  return merge(reading, [base, over], (key, [was, now]) =>
    key === 'apps' && isSeq(was) && (isSeq(now) || isNull(now)) ? mergeApps(reading, was, now) : undefined
  )
}

/** `special` merges the value of a key in another way than usual. */
type Special = (key: string, values: readonly [unknown, unknown]) => unknown

function merge(reading: Reading, [base, over]: readonly [unknown, unknown], special?: Special): unknown {
  const [was, now] = [follow(reading, base), follow(reading, over)]
  if (!isMap(was) || !isMap(now)) return now
  const entries = new Map(mapPairs(reading, was).map(pair => [pair.name, pair]))
  for (const pair of mapPairs(reading, now)) {
    const before = entries.get(pair.name)
    if (before === undefined) {
      entries.set(pair.name, pair)
      continue
    }
    const values = [before.node, pair.node] as const
    entries.set(pair.name, {...pair, node: special?.(pair.name, values) ?? merge(reading, values)})
  }
  const merged = new YAMLMap()
  merged.range = now.range ?? null
  merged.items = [...entries.values()].map(({name, key, node}) => new Entry(keyNode(name, key), node))
  return merged
}

/** Quoted, so that a key `<<` of the text is not read as a merge key again. */
function keyNode(name: string, {start, end}: Spot): Scalar {
  const key = new Scalar(name)
  key.source = name
  key.type = Scalar.QUOTE_DOUBLE
  key.range = [start, end, end]
  return key
}

function mergeApps(reading: Reading, base: YAMLSeq, over: unknown): YAMLSeq {
  const apps = [...itemsOf(reading, base)]
  const known = apps.map(app => namesOf(reading, app))
  const taken = new Set<number>()
  for (const app of isSeq(over) ? itemsOf(reading, over) : []) {
    const names = namesOf(reading, app)
    const at = meantBy(reading, app, names, known)
    if (at !== -1 && taken.has(at)) refuseApp(reading, app, `app ${JSON.stringify(names.id)} stands twice in this file`)
    taken.add(at)
    if (at === -1) apps.push(app)
    else apps[at] = merge(reading, [apps[at], app])
  }
  const merged = new YAMLSeq()
  merged.range = base.range ?? null
  merged.items = apps
  return merged
}

interface Names {
  readonly id: string
  readonly version: string
}

/** The index of the app that an entry changes; -1: it is a new one. */
function meantBy(reading: Reading, app: unknown, {id, version}: Names, known: readonly Names[]): number {
  if (isMap(app) && id === '')
    refuseApp(reading, app, 'an app needs an appID, or an appDirPath whose name is its id', 'write appID')
  const same = known.flatMap((names, index) => (names.id === id ? [index] : []))
  const [first = -1, second] = same
  if (second === undefined) return first
  const exact = same.filter(index => known[index]?.version === version)
  if (exact.length === 1) return exact[0] ?? -1
  return refuseApp(
    reading,
    app,
    `several apps have the id ${JSON.stringify(id)}, and this entry does not say which is meant`,
    'write the version of one of them'
  )
}

/** What an app is called: by `appID`, or by its folder (`GetApps` in Dapr's CLI). */
function namesOf(reading: Reading, app: unknown): Names {
  if (!isMap(app)) return {id: '', version: ''}
  const pairs = new Map(mapPairs(reading, app).map(pair => [pair.name, pair]))
  const text = (key: string): string => {
    const node = pairs.get(key)?.node
    return isScalar(node) && !isNull(node) ? scalarSource(node) : ''
  }
  const path = text('appDirPath')
  const folder = fileAt(reading.source, pairs.get('appDirPath')?.value.start ?? 0)?.folder ?? ''
  return {id: text('appID') || (path === '' ? '' : basename(resolve(folder, path))), version: text('version')}
}

function refuseApp(reading: Reading, app: unknown, message: string, hint = ''): never {
  const id = isMap(app) ? mapPairs(reading, app).find(({name}) => name === 'appID') : undefined
  const spot = id?.value ?? spotOf(app, {start: 0, end: 0})
  throw templateError(reading.source, {message, spot, hint})
}
