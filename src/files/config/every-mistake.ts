import {basename} from 'node:path'
import {UserError, type TemplateMistake} from '../../model/errors.ts'
import type {ListItem, Pair, YamlList, YamlNode} from '../yaml/tree.ts'
import type {Spot} from '../yaml/place.ts'
import type {Overrides} from './app.ts'
import {MAX_MISTAKES} from './diagnose.ts'
import {findTemplates} from './find.ts'
import {explainForeign} from './foreign-file.ts'
import {loadFiles, openFiles, type LoadContext, type Loaded, type WatchFlag} from './load.ts'
import {FoundMistakes, untilLast} from './found-mistakes.ts'

/** A template with all of its mistakes. */
export interface Examined {
  /** The mistakes for which a start is refused, in the order of Dapr's checks. */
  readonly errors: readonly UserError[]
  /** The template without its mistakes. Undefined if they make it unreadable. */
  readonly loaded: Loaded | undefined
}

/**
 * Loads a template and finds the mistakes of all apps: records the first mistake of each app, removes it from the tree, and reads the
 * rest again. So no check has to continue after a mistake. A text that is not YAML has only one mistake.
 */
export async function examineTemplate(
  typed: string | readonly string[],
  around: LoadContext,
  overrides: Overrides & WatchFlag
): Promise<Examined> {
  const found = new FoundMistakes()
  let lacksApps = false
  let isForeign = false
  let readings = 0
  const load = async (): Promise<Loaded> => {
    const read = await openFiles(findTemplates([typed].flat(), around.cwd), around)
    const files = read.map(file => {
      const root = found.mistakes.reduce(withoutMistake, file.document.root)
      lacksApps ||= itemsOf(root).length < itemsOf(file.document.root).length
      return {...file, document: {...file.document, root}}
    })
    try {
      const each = untilLast(lacksApps ? indexBefore(read[0]?.document.root, files[0]?.document.root) : index => index)
      const loaded = await loadFiles(files, {...around, each}, overrides)
      await loaded.plan.faults?.()
      await loaded.deployable()
      return loaded
    } catch (error) {
      const explained = found.isEmpty ? explainForeign(error, read) : error
      isForeign ||= explained !== error
      throw explained
    }
  }
  // mistakes that follow from a removed app: others depend on it
  const follows = (mistakes: readonly TemplateMistake[]): boolean =>
    mistakes.every(({code}) => code === 'no-apps' || (lacksApps && code === 'unknown-dependency'))
  for (;;)
    try {
      const loaded = await load()
      return {errors: found.errors, loaded}
    } catch (error) {
      if (!found.add(error, follows) || isForeign || ++readings > MAX_MISTAKES)
        return {errors: found.errors, loaded: undefined}
    }
}

/** Adds all other mistakes of a template to its first error, as `validate` shows them. `signed`: puts the status sign before a message. Errors of other kinds stay as they are. */
export async function withAllMistakes(
  error: unknown,
  signed: (message: string) => string,
  ...of: Parameters<typeof examineTemplate>
): Promise<unknown> {
  if (!(error instanceof UserError) || error.mistakes.length === 0) return error
  const {stream, exitCode, code, mistakes, mendedBy, cause} = error
  const [, ...others] = (await examineTemplate(...of)).errors
  const texts = [error.explanation, ...others.map(each => signed(each.message) + each.explanation)]
  const explanation = texts.map(text => text.trimEnd()).join('\n')
  return new UserError(error.message, {stream, exitCode, code, mistakes, mendedBy, cause, explanation})
}

/** Returns a function that converts the index of a remaining app to its index before the removal of others. Apps of further files come last. */
function indexBefore(root: YamlNode | undefined, rest: YamlNode | undefined): (index: number) => number {
  const all = itemsOf(root)
  const staying = new Set(itemsOf(rest).map(({value}) => value.start))
  const indexes = [...all.keys()].filter(index => staying.has(all[index]?.value.start ?? -1))
  return index => indexes[index] ?? all.length + index
}

const itemsOf = (root: YamlNode | undefined): readonly ListItem[] =>
  root === undefined ? [] : (appsIn(root)?.items ?? [])

function appsIn(root: YamlNode): YamlList | undefined {
  const apps = root.kind === 'map' ? root.pairs.findLast(({name}) => name === 'apps')?.node : undefined
  return apps?.kind === 'list' ? apps : undefined
}

/** Removes the smallest node that causes the mistake. Adds a node that a template or an app must have. */
function withoutMistake(root: YamlNode, {code, spot}: TemplateMistake): YamlNode {
  if (root.kind !== 'map' || spot === undefined || code === 'no-apps') return root
  const isInApps = appsIn(root)?.items.some(({node}) => covers(node.spot, spot) || pairAt(node, spot) !== undefined)
  const pairs = root.pairs.flatMap((pair): Pair | readonly Pair[] => {
    const {name, node} = pair
    if (name === 'common' && node.kind === 'map' && pairAt(node, spot) !== undefined)
      return {...pair, node: {...node, pairs: node.pairs.flatMap(each => withoutValue(each, spot))}}
    if (name === 'apps' && node.kind === 'list' && isInApps === true)
      return {...pair, node: {...node, items: node.items.flatMap(item => withoutInApp(item, spot))}}
    return spot.end === 0 ? pair : withoutValue(pair, spot)
  })
  return {...root, pairs: code === 'missing-key' && isInApps !== true ? [...pairs, textPair('version', '1')] : pairs}
}

/** Keys whose paths are relative to `appDirPath`. */
const IN_FOLDER = ['resourcesPath', 'resourcesPaths', 'configFilePath', 'runtimePath', 'envFile', 'watch']

/** Removes a mistake from an app. An app with a wrong folder keeps its id for its dependents; values relative to that folder are removed, too. */
function withoutInApp(item: ListItem, spot: Spot): ListItem | readonly ListItem[] {
  const {node} = item
  const wrong = pairAt(node, spot)
  if (wrong === undefined && !covers(node.spot, spot)) return item
  const pairs = node.kind === 'map' ? node.pairs : []
  const has = (key: string): boolean => pairs.some(({name, node: value}) => name === key && textOf(value) !== '')
  const appWith = (rest: readonly Pair[]): ListItem => ({...item, node: {kind: 'map', spot: node.spot, pairs: rest}})
  if (wrong?.name === 'appDirPath' || !has('appDirPath')) {
    const kept = pairs.filter(pair => pair !== wrong && pair.name !== 'appDirPath' && !IN_FOLDER.includes(pair.name))
    const id = has('appID') ? [] : [textPair('appID', basename(textOf(wrong?.node)), wrong?.value ?? node.spot)]
    return appWith([...kept, textPair('appDirPath', '.'), ...id])
  }
  // the id may be valid for an app without a version
  if (wrong?.name === 'appID' && has('version')) return appWith(pairs.filter(({name}) => name !== 'version'))
  if (wrong === undefined || wrong.name === 'appID') return []
  return appWith(pairs.flatMap(pair => withoutValue(pair, spot)))
}

/** Removes the node that contains the mistake at `spot`: the item if the value is a list, else the key. */
function withoutValue(pair: Pair, spot: Spot): Pair | readonly Pair[] {
  const {node} = pair
  if (!isAt(pair, spot)) return pair
  const items =
    node.kind === 'list' ? node.items.filter(item => !covers(item.value, spot) && !covers(item.node.spot, spot)) : []
  return node.kind === 'list' && items.length < node.items.length ? {...pair, node: {...node, items}} : []
}

const covers = ({start, end}: Spot, spot: Spot): boolean => start <= spot.start && spot.end <= end

/** Whether a pair contains a place. A mistake of an alias has the place of its anchor. */
const isAt = ({key, value, node}: Pair, spot: Spot): boolean =>
  covers({start: key.start, end: Math.max(key.end, value.end)}, spot) || covers(node.spot, spot)

const pairAt = (node: YamlNode, spot: Spot): Pair | undefined =>
  node.kind === 'map' ? node.pairs.findLast(pair => isAt(pair, spot)) : undefined

const textOf = (node: YamlNode | undefined): string => (node?.kind === 'scalar' ? node.text : '')

function textPair(name: string, text: string, spot: Spot = {start: 0, end: 0}): Pair {
  return {name, key: spot, value: spot, merged: false, node: {kind: 'scalar', spot, text, style: 'plain', tag: ''}}
}
