import {basename, resolve} from 'node:path'
import {fileAt, templateError, type Source, type SourceFile} from './diagnose.ts'
import type {FoundTemplate} from './find.ts'
import {TOP_KEYS, OUR_TOP_KEYS} from './keys.ts'
import {mapPairs, type Reading} from './nodes.ts'
import {isNull} from '../yaml/scalar.ts'
import type {YamlList, YamlNode} from '../yaml/tree.ts'
import {parseSource, readSource, type Yaml} from './source.ts'

/** A file of a template, read and parsed. */
export interface Opened {
  readonly found: FoundTemplate
  readonly source: Source
  readonly document: Yaml
}

/** Reads all files. The nodes of each have offsets in the joined text. */
export function openSeveral(all: readonly FoundTemplate[], readStdin: () => Buffer | string): readonly Opened[] {
  const read = all.map(found => ({found, source: readSource(found, readStdin)}))
  const source = joinSources(read)
  return read.map((file, index) => ({...file, document: parseSource(source, source.files[index])}))
}

/** Returns the texts of all files as one. */
export function joinSources(
  all: readonly Pick<Opened, 'found' | 'source'>[]
): Source & Required<Pick<Source, 'files'>> {
  const files: SourceFile[] = []
  let start = 0
  for (const {found, source} of all) {
    files.push({...source, folder: found.folder, start})
    start += source.text.length + 1
  }
  return {shownAs: files[0]?.shownAs ?? '', text: files.map(({text}) => text).join('\n'), files}
}

/**
 * Merges several files: each file changes those before it. Maps are merged by key, apps by id; everything else is replaced, also by
 * `false`, `0`, `""` and nothing. New apps come last.
 */
export function mergeFiles(reading: Reading, documents: readonly Yaml[]): YamlNode {
  return documents
    .map(({root}) => root)
    .reduce((base, over, index) => mergeTemplate(reading, base, checked(reading, over, index)))
}

const KNOWN: readonly string[] = [...Object.keys(TOP_KEYS), ...OUR_TOP_KEYS, 'common', 'apps']

/** Refuses a file without any key of a template: it probably belongs to another tool. */
function checked(reading: Reading, root: YamlNode, index: number): YamlNode {
  if (root.kind !== 'map' || root.pairs.some(({name}) => KNOWN.includes(name))) return root
  const {shownAs = ''} = reading.source.files?.[index] ?? {}
  throw templateError(reading.source, {
    code: 'invalid-value',
    message: `${shownAs} is not a template: it has none of a template's keys`,
    spot: root.spot,
    expected: 'expected common, apps or another key of a template at the left margin'
  })
}

function mergeTemplate(reading: Reading, base: YamlNode, over: YamlNode): YamlNode {
  if (isNull(over)) return base // the file is empty
  return merge(reading, [base, over], (key, [was, now]) =>
    key === 'apps' && was.kind === 'list' && (now.kind === 'list' || isNull(now))
      ? mergeApps(reading, was, now)
      : undefined
  )
}

type Both = readonly [was: YamlNode, now: YamlNode]

/** Merges two nodes. `special`: merges a key in another way, or returns undefined. */
function merge(
  reading: Reading,
  [was, now]: Both,
  special?: (key: string, values: Both) => YamlNode | undefined
): YamlNode {
  if (was.kind !== 'map' || now.kind !== 'map') return now
  const entries = new Map(mapPairs(reading, was).map(pair => [pair.name, pair]))
  for (const pair of mapPairs(reading, now)) {
    const before = entries.get(pair.name)
    const values = before === undefined ? undefined : ([before.node, pair.node] as const)
    const node = values === undefined ? pair.node : (special?.(pair.name, values) ?? merge(reading, values))
    entries.set(pair.name, {...pair, node})
  }
  return {kind: 'map', spot: now.spot, pairs: [...entries.values()]}
}

function mergeApps(reading: Reading, base: YamlList, over: YamlNode): YamlList {
  const items = [...base.items]
  const known = items.map(({node}) => namesOf(reading, node))
  const taken = new Set<number>()
  for (const item of over.kind === 'list' ? over.items : []) {
    const app = item.node
    const names = namesOf(reading, app)
    const at = meantBy(reading, app, names, known)
    if (at !== -1 && taken.has(at))
      refuseApp(reading, app, `app ${JSON.stringify(names.id)} appears twice in this file`)
    taken.add(at)
    const before = items[at]
    if (before === undefined) items.push(item)
    else items[at] = {...item, node: merge(reading, [before.node, app])}
  }
  return {kind: 'list', spot: base.spot, items}
}

interface Names {
  readonly id: string
  readonly version: string
}

/** Returns the index of the app that an entry changes, -1 for a new app. */
function meantBy(reading: Reading, app: YamlNode, {id, version}: Names, known: readonly Names[]): number {
  if (app.kind === 'map' && id === '')
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

/** Returns the names of an app: by `appID`, or by its folder (`GetApps` in Dapr's CLI). */
function namesOf(reading: Reading, app: YamlNode): Names {
  if (app.kind !== 'map') return {id: '', version: ''}
  const pairs = new Map(mapPairs(reading, app).map(pair => [pair.name, pair]))
  const text = (key: string): string => {
    const node = pairs.get(key)?.node
    return node?.kind === 'scalar' && !isNull(node) ? node.text : ''
  }
  const path = text('appDirPath')
  const folder = fileAt(reading.source, pairs.get('appDirPath')?.value.start ?? 0)?.folder ?? ''
  return {id: text('appID') || (path === '' ? '' : basename(resolve(folder, path))), version: text('version')}
}

function refuseApp(reading: Reading, app: YamlNode, message: string, hint = ''): never {
  const id = app.kind === 'map' ? mapPairs(reading, app).find(({name}) => name === 'appID') : undefined
  const spot = id?.value ?? app.spot
  throw templateError(reading.source, {message, spot, hint})
}
