import {UserError} from '../../model/errors.ts'
import {nearMiss} from '../../model/near-miss.ts'
import type {Section, Template} from './decode.ts'
import {explain, placed, placeText, type Mistake, type Source} from './diagnose.ts'
import type {Yaml} from './source.ts'
import {isNull} from '../yaml/scalar.ts'
import {eachNode, type Pair} from '../yaml/tree.ts'
import {APP_KEYS, OUR_APP_KEYS, OUR_SHARED_KEYS, OUR_TOP_KEYS, SHARED_KEYS, TOP_KEYS} from './keys.ts'

/** Names of our keys in other tools (compose, process-compose, pm2, Kubernetes), and usual guesses; in lower case, without `_` and `-`. */
const OTHER_NAMES: ReadonlyMap<string, readonly string[]> = new Map([
  ['appID', ['id', 'name', 'servicename', 'containername']],
  ['appDirPath', ['cwd', 'dir', 'directory', 'folder', 'path', 'workdir', 'workingdir', 'workingdirectory']],
  ['port', ['ports', 'expose', 'targetport', 'containerport', 'listenport']],
  ['appProtocol', ['protocol']],
  ['command', ['cmd', 'entrypoint', 'args', 'run', 'exec', 'script', 'start', 'program']],
  ['env', ['environment', 'envs', 'environmentvariables', 'variables', 'vars']],
  ['envFile', ['dotenv', 'envfrom']],
  ['ready', ['healthcheck', 'health', 'readiness', 'readinessprobe', 'startupprobe', 'livenessprobe', 'waitfor']],
  ['dependsOn', ['depends', 'needs', 'after', 'links', 'requires']],
  ['replicas', ['instances', 'scale', 'numprocs']],
  ['restart', ['restartpolicy', 'autorestart']],
  ['stop', ['stopsignal', 'stopgraceperiod', 'killsignal', 'shutdown']],
  ['configFilePath', ['config', 'configuration', 'configfile']],
  ['resourcesPath', ['resources', 'components', 'componentspaths']],
  ['daprHTTPPort', ['httpport', 'sidecarport']],
  ['daprGRPCPort', ['grpcport']],
  ['limits', ['memory', 'mem', 'memlimit', 'cpu', 'cpus']],
  ['logs', ['logging']],
  ['profiles', ['profile']]
])

/** Keys of other tools that have no counterpart here, each with advice. */
const UNLIKE_OURS: ReadonlyMap<string, string> = new Map([
  ['image', 'to run a container, write command: [docker, run, --rm, IMAGE]'],
  ['build', 'write the command that starts the program, or one of docker'],
  ['schedule', 'what runs at times is a job, or the binding bindings.cron, which calls an app'],
  ['cron', 'what runs at times is a job, or the binding bindings.cron, which calls an app'],
  ['volumes', 'mount them in the command: [docker, run, -v, …]']
])

/** Top-level keys of earlier versions, and their replacements. */
const GONE: ReadonlyMap<string, string> = new Map([
  [
    'isolate',
    'copies keep data apart if the server is an app of the template, or by a database name: interpolate: true, ${DB:-shop} in the file of the component, and --env DB=NAME'
  ]
])

const simplified = (name: string): string => name.toLowerCase().replace(/[-_]/g, '')

const TOP = [...Object.keys(TOP_KEYS), 'common', 'apps', ...OUR_TOP_KEYS]
const SHARED = [...Object.keys(SHARED_KEYS), ...OUR_SHARED_KEYS]
const APP = [...Object.keys(APP_KEYS), ...OUR_APP_KEYS]

/** Keys of Dapr's documentation that its code does not know, and the keys that it knows. */
const DOCUMENTED = new Map([
  ['daprHTTPMaxRequestSize', 'maxBodySize'],
  ['daprHTTPReadBufferSize', 'readBufferSize']
])

const WITHOUT_EFFECT = new Map([
  ['enableProfiling', 'there is no profiling server'],
  ['profilePort', 'there is no profiling server'],
  ['placementHostAddress', 'actors need no placement service'],
  ['schedulerHostAddress', 'jobs need no scheduler']
])

/** Finds keys that are unknown or without effect. */
export function wrongKeys({top, common, apps}: Template): readonly Mistake[] {
  return [...keysIn(top, TOP), ...keysIn(common, SHARED), ...apps.flatMap(app => keysIn(app, APP))]
}

function keysIn(section: Section<object>, known: readonly string[]): readonly Mistake[] {
  const pairs = [...section.pairs.values()]
  const unknown = pairs.flatMap((pair, index) => {
    const {name, key} = pair
    if (known.includes(name) || name.startsWith('x-')) return []
    const mistake = {...unknownKey(name, known), spot: key}
    const before = pairs[index - 1]
    return mistake.hint === '' && before !== undefined && known.includes(before.name) && isNull(before.node)
      ? [{...mistake, hint: `if it belongs to ${before.name}, indent it below that`}]
      : [mistake]
  })
  const useless = [...section.pairs.values()].flatMap(({name, key}): readonly Mistake[] => {
    const why = WITHOUT_EFFECT.get(name)
    return why === undefined ? [] : [{code: 'no-effect', message: `${name} has no effect: ${why}`, spot: key}]
  })
  return [...unknown, ...useless]
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
  if (known === TOP && APP.includes(name))
    return {code: 'ignored-key', message: `${name} is ignored at the top`, hint: `write it in ${homeOf(name)}`}
  return {code: 'unknown-key', message: `${name} is ignored: unknown key`, hint: hintFor(name, known)}
}

function hintFor(name: string, known: readonly string[]): string {
  const gone = known === TOP ? GONE.get(name) : undefined
  if (gone !== undefined) return gone
  const meant = meantBy(name, known)
  if (meant !== '') return `did you mean ${meant}?`
  if (known === APP) return UNLIKE_OURS.get(name) ?? ''
  const inApp = meantBy(name, APP)
  return inApp === '' ? '' : `write ${inApp} in ${homeOf(inApp)}`
}

/** Returns the sections that can contain a key of an app. */
const homeOf = (key: string): string => (SHARED.includes(key) ? 'common, or in an app' : 'an app')

/** Returns the known key that was probably meant; empty if none is close. */
const meantBy = (name: string, known: readonly string[]): string =>
  known.find(key => OTHER_NAMES.get(key)?.includes(simplified(name))) ?? nearMiss(name, known)

/** Returns the unknown key that is probably a misspelling of a missing one. Undefined if there is none. */
export const misspelt = (section: Section<object>, key: 'appDirPath' | 'command' | 'version'): Pair | undefined => {
  const known = key === 'version' ? TOP : APP
  return [...section.pairs.values()].find(({name}) => !known.includes(name) && meantBy(name, known) === key)
}

/** Finds keys that are written twice in one map. */
export function repeatedKeys(documents: readonly Yaml[], source: Source): readonly Mistake[] {
  const mistakes: Mistake[] = []
  for (const {root} of documents)
    eachNode(root, node => {
      const earlier = new Map<string, Pair>()
      for (const pair of node.kind === 'map' ? node.pairs : []) {
        const {name, key} = pair
        const {key: spot, merged = true} = earlier.get(name) ?? {key}
        earlier.set(name, pair)
        if (merged || pair.merged || pair.complexKey !== undefined) continue
        const effect = name === 'env' ? 'both count' : 'the last one counts'
        const message = `${name} is written again at ${placeText(source, key)}: ${effect}`
        mistakes.push({code: 'duplicate-key', message, spot, hint: 'write it once'})
      }
    })
  return mistakes
}

/** Returns the error for a template without apps; `app:` may be meant as `apps:`. */
export function noApps(template: Template, source: Source): UserError {
  const misread = wrongKeys(template).filter(({hint}) => hint === 'did you mean apps?')
  const {key: spot} = template.top.pairs.get('apps') ?? {key: {start: 0, end: 0}}
  const expected = 'expected apps: a list of apps, each after a dash'
  const none: Mistake = {code: 'no-apps', message: 'No apps to run', spot, expected}
  const mistakes = misread.length > 0 ? misread : [none]
  return new UserError('No apps to run', {
    stream: 'stdout',
    code: 'no-apps',
    mistakes: mistakes.map(mistake => placed(source, mistake)),
    explanation: mistakes.map(mistake => explain(source, mistake)).join('\n')
  })
}
