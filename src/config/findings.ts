import {existsSync, readdirSync} from 'node:fs'
import {basename, dirname, relative} from 'node:path'
import type {TemplateMistake} from '../model/errors.ts'
import {compileGlob} from '../model/glob.ts'
import {nearMiss} from '../model/near-miss.ts'
import type {SidecarPlan} from '../model/plan.ts'
import {matchesNothing} from '../model/watch-filter.ts'
import type {Section, Template} from './decode.ts'
import {explain, MAX_MISTAKES, placed, placeText, type Mistake, type Source} from './diagnose.ts'
import {APP_KEYS, OUR_APP_KEYS, OUR_SHARED_KEYS, OUR_TOP_KEYS, SHARED_KEYS, TOP_KEYS} from './keys.ts'
import {PORT_NAMES} from './sidecar.ts'
import type {Entry} from './service-versions.ts'

/** Something in a template that can be loaded: a mistake all the same, or what Dapr ignores. */
export interface Finding extends TemplateMistake {
  /** `error`: the template cannot run as it is. */
  readonly severity: 'error' | 'warning'
  /** Place, quoted line, carets and what to write, ready to print. */
  readonly explanation: string
}

/** A finding in one line: `dapr.yaml:5:5: comand is ignored: unknown key (did you mean command?)`. */
export const placedText = ({message, place: {file, line, column}, hint}: TemplateMistake): string =>
  `${file}:${line}:${column}: ${message}${hint === '' ? '' : ` (${hint})`}`

const TOP = [...Object.keys(TOP_KEYS), 'common', 'apps', ...OUR_TOP_KEYS]
const SHARED = [...Object.keys(SHARED_KEYS), ...OUR_SHARED_KEYS]
const APP = [...Object.keys(APP_KEYS), ...OUR_APP_KEYS]

/** Keys from Dapr's documentation that its code does not know, and those that it knows. */
const DOCUMENTED = new Map([
  ['daprHTTPMaxRequestSize', 'maxBodySize'],
  ['daprHTTPReadBufferSize', 'readBufferSize']
])

/** Keys that are read and have no effect. */
const WITHOUT_EFFECT = new Map([
  ['enableProfiling', 'there is no profiling server'],
  ['profilePort', 'there is no profiling server'],
  ['placementHostAddress', 'there are no actors'],
  ['schedulerHostAddress', 'there are no jobs']
])

/** Everything that loading accepts although it is probably a mistake, in the order of the text. */
export function findingsIn(template: Template, entries: readonly Entry[], source: Source): readonly Finding[] {
  const errors = repeatedPorts(entries, source)
  const warnings = [
    ...wrongKeys(template),
    ...wrongDocument(template),
    ...repeatedAppPorts(entries, source),
    ...entries.flatMap(uselessGlobs)
  ]
  return [...errors, ...warnings]
    .toSorted((a, b) => a.spot.start - b.spot.start)
    .slice(0, MAX_MISTAKES)
    .map(mistake => ({
      severity: errors.includes(mistake) ? 'error' : 'warning',
      ...placed(source, mistake),
      explanation: explain(source, mistake)
    }))
}

/** Keys that are unknown, duplicate or without effect. */
export function wrongKeys({top, common, apps}: Template): readonly Mistake[] {
  return [...keysIn(top, TOP), ...keysIn(common, SHARED), ...apps.flatMap(app => keysIn(app, APP))]
}

function keysIn(section: Section<object>, known: readonly string[]): readonly Mistake[] {
  const unknown = [...section.pairs.values()].filter(({name}) => !known.includes(name) && !name.startsWith('x-'))
  const repeated = section.repeated.map(({name, key}): Mistake => ({
    code: 'duplicate-key',
    message: `duplicate key ${name}: the last one counts`,
    spot: key
  }))
  const useless = [...section.pairs.values()].flatMap(({name, key}): readonly Mistake[] => {
    const why = WITHOUT_EFFECT.get(name)
    return why === undefined ? [] : [{code: 'no-effect', message: `${name} has no effect: ${why}`, spot: key}]
  })
  return [...unknown.map(({name, key}) => ({...unknownKey(name, known), spot: key})), ...useless, ...repeated]
}

function unknownKey(name: string, known: readonly string[]): Omit<Mistake, 'spot'> {
  const documented = DOCUMENTED.get(name)
  if (documented !== undefined)
    return {
      code: 'ignored-key',
      message: `${name} is ignored, although Dapr's documentation lists it`,
      hint: `did you mean ${documented}?`
    }
  if (known === SHARED && APP.includes(name))
    return {code: 'ignored-key', message: `${name} is ignored in common`, hint: 'write it in each app'}
  const near = nearMiss(name, known)
  return {
    code: 'unknown-key',
    message: `${name} is ignored: unknown key`,
    hint: near === '' ? '' : `did you mean ${near}?`
  }
}

function wrongDocument({top, secondDocument}: Template): readonly Mistake[] {
  const version = top.pairs.get('version')
  const mistakes: Mistake[] = []
  if (version !== undefined && top.values.version !== 1) {
    const message = `version ${String(top.values.version)} of the format is unknown: it is read as version 1`
    mistakes.push({code: 'unknown-format', message, spot: version.value, hint: 'write version: 1'})
  }
  if (secondDocument !== undefined) {
    const message = 'only the first YAML document is read, and this is another one'
    mistakes.push({code: 'second-document', message, spot: secondDocument, hint: 'write it into a file of its own'})
  }
  return mistakes
}

function repeatedAppPorts(entries: readonly Entry[], source: Source): readonly Mistake[] {
  return entries.flatMap(({settings, plan: {id, channel}}, index) => {
    const {port, address} = channel
    const first = entries
      .slice(0, port === 0 ? 0 : index)
      .find(({plan}) => plan.channel.port === port && plan.channel.address === address)
    if (first === undefined) return []
    const ids = `${JSON.stringify(first.plan.id)} and ${JSON.stringify(id)}`
    const places = `${placeText(source, first.settings.spot('appPort'))} and ${placeText(source, settings.spot('appPort'))}`
    return {
      code: 'duplicate-app-port',
      message: `the apps ${ids} have the same appPort ${port.toString()} (${places}): only one can listen there`,
      spot: settings.spot('appPort'),
      hint: 'give each app its own appPort, or write autoPort: true'
    }
  })
}

const PORT_KEYS = {
  daprHTTPPort: 'httpPort',
  daprGRPCPort: 'grpcPort',
  metricsPort: 'metricsPort',
  daprInternalGRPCPort: 'internalGrpcPort'
} as const

/** Ports of sidecars that Pillion would have to bind twice. Dapr's text is that of a port that is taken. */
function repeatedPorts(entries: readonly Entry[], source: Source): readonly Mistake[] {
  const ports = entries.flatMap(({settings, plan: {sidecar}}) =>
    (Object.keys(PORT_KEYS) as (keyof typeof PORT_KEYS)[]).flatMap(key => {
      const port = sidecar[PORT_KEYS[key]]
      return port === 0 ? [] : [{key, port, settings, sidecar}]
    })
  )
  return ports.flatMap(({key, port, settings, sidecar}, index) => {
    const first = ports.slice(0, index).find(each => each.port === port && shareAnAddress(each.sidecar, sidecar))
    if (first === undefined) return []
    const place = placeText(source, first.settings.spot(first.key))
    return {
      code: 'duplicate-port',
      message: `invalid configuration for ${PORT_NAMES[key]}. Port ${port.toString()} is not available`,
      spot: settings.spot(key),
      expected: `it is the ${first.key} of ${JSON.stringify(first.settings.id)}, ${place}`,
      hint: 'give each its own port, or leave it out for a free one'
    }
  })
}

const EVERYWHERE = ['0.0.0.0', '::']

function shareAnAddress({listenAddresses: a}: SidecarPlan, {listenAddresses: b}: SidecarPlan): boolean {
  const isEverywhere = [...a, ...b].some(address => EVERYWHERE.includes(address))
  const [ofA, ofB] = [a, b].map(addresses => (addresses.length > 0 ? addresses : ['127.0.0.1', '::1']))
  return isEverywhere || (ofA?.some(address => ofB?.includes(address)) ?? false)
}

/** Globs that match nothing: their folder does not exist, or is never watched. */
function uselessGlobs({settings, plan: {folder, watch}}: Entry): readonly Mistake[] {
  const written = settings.values.watch
  if (typeof written !== 'object') return []
  const isList = !('paths' in written) && !('ignore' in written)
  return watch.paths.flatMap((glob, index) => {
    const why = whyUseless(glob, {folder, ignore: watch.ignore})
    if (why === undefined || watch.honoursGitignore) return []
    const spot = settings.spot('watch', ...(isList ? [] : ['paths']), index.toString())
    return [{...why, code: 'watch-matches-nothing' as const, spot}]
  })
}

function whyUseless(
  glob: string,
  {folder, ignore}: {readonly folder: string; readonly ignore: readonly string[]}
): Pick<Mistake, 'message' | 'hint'> | undefined {
  const missing = compileGlob(glob, folder).map(({base}) => base)
  const [first = folder] = missing
  if (missing.every(base => !existsSync(base))) {
    const near = nearMiss(basename(first), namesIn(dirname(first)))
    const message = `watch matches nothing: there is no ${relative(folder, first)} in the app's folder`
    return {message, hint: near === '' ? '' : `did you mean ${near}?`}
  }
  if (!matchesNothing(glob, {paths: [], ignore, honoursGitignore: false}, folder)) return undefined
  return {
    message: `watch matches nothing: what ${JSON.stringify(glob)} stands for is never watched, or is in watch.ignore`
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return [] // it does not exist either
  }
}
