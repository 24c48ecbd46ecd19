import {existsSync} from 'node:fs'
import {basename, dirname, relative} from 'node:path'
import {namesInFolder} from '../../platform/paths.ts'
import {compileGlob} from '../../model/glob.ts'
import {nearMiss} from '../../model/near-miss.ts'
import type {SidecarPlan} from '../../model/plan.ts'
import {matchesNothing} from '../../model/watch-filter.ts'
import {whyNoTerminal} from '../../platform/pseudo-terminal.ts'
import type {Template} from './decode.ts'
import {placeText, type Mistake, type Source} from './diagnose.ts'
import {asFindings, hintsIn, meet, type CheckedTemplate, type Finding} from './hints.ts'
import {alwaysLacking, lackingProfiles} from './profiles.ts'
import {PORT_NAMES} from './sidecar.ts'
import type {Entry} from './service-versions.ts'
import type {Yaml} from './source.ts'
import {referenceIn} from '../../model/expansion.ts'
import {TO_REPLACE} from './values.ts'
import {eachNode, type NodeParent, type YamlNode} from '../yaml/tree.ts'

/** Finds `${NAME}` in a template without `interpolate: true`, which programs get literally. Leaves out commands of a shell. */
function notInterpolated({top}: Template, documents: readonly Yaml[]): readonly Mistake[] {
  if (top.values.interpolate !== undefined && top.values.interpolate !== false) return []
  const mistakes: Mistake[] = []
  for (const {root} of documents)
    eachNode(root, (node, around) => {
      const written = node.kind === 'scalar' ? referenceIn(node.text) : undefined
      if (written === undefined || isForShell(node, around)) return
      mistakes.push({
        code: 'not-interpolated',
        message: `${written} stays as it is: nothing is replaced in this template`,
        spot: node.spot,
        hint: TO_REPLACE
      })
    })
  return mistakes
}

/** Whether a value is an item after `-c` in a `command`, whose `${NAME}` a shell replaces. */
function isForShell(node: YamlNode, [{list} = {}, {pair} = {}]: readonly NodeParent[]): boolean {
  if (list === undefined || pair?.name !== 'command') return false
  const before = list.items.slice(
    0,
    list.items.findIndex(item => item.node === node)
  )
  return before.some(item => item.node.kind === 'scalar' && /^-[a-z]*c$/.test(item.node.text))
}

/** Everything that loading accepts although it is probably a mistake, in the order of the text. */
export function findingsIn(checked: CheckedTemplate): readonly Finding[] {
  const {template, entries, source, documents, wanted = []} = checked
  // with --profile, loading has refused apps that lack a profile
  const isProfileGiven = wanted.length > 0
  const errors = [
    ...repeatedPorts(entries, source, wanted),
    ...withoutTerminal(entries),
    ...(isProfileGiven ? [] : alwaysLacking(entries))
  ]
  const warnings = [
    ...hintsIn(checked),
    ...wrongDocument(template, documents),
    ...notInterpolated(template, documents),
    ...unusedFolders(template),
    ...(isProfileGiven ? [] : lackingProfiles(entries)),
    ...entries.flatMap(ownPorts),
    ...entries.flatMap(uselessGlobs)
  ]
  return asFindings(source, warnings, errors)
}

/** Finds folders of `common` that each app replaces by its own: Dapr never reads them. */
function unusedFolders({common, apps}: Template): readonly Mistake[] {
  const key = (['resourcesPaths', 'resourcesPath'] as const).find(each => common.pairs.has(each))
  const pair = key === undefined ? undefined : common.pairs.get(key)
  const hasOwn = apps.every(
    ({values}) => (values.resourcesPath ?? '') !== '' || (values.resourcesPaths ?? []).length > 0
  )
  if (key === undefined || pair === undefined || apps.length === 0 || !hasOwn) return []
  const message = `${key} of common is used by no app: each names its own`
  const hint = `add it to the resourcesPaths of the apps that need it, or remove it`
  return [{code: 'no-effect', message, spot: pair.value, hint}]
}

function wrongDocument({top}: Template, documents: readonly Yaml[]): readonly Mistake[] {
  const version = top.pairs.get('version')
  const mistakes: Mistake[] = []
  if (version !== undefined && top.values.version !== 1) {
    const message = `version ${String(top.values.version)} of the format is unknown: it is read as version 1`
    mistakes.push({code: 'unknown-format', message, spot: version.value, hint: 'write version: 1'})
  }
  const message = 'only the first YAML document is read, and this is another one'
  for (const {next: spot} of documents)
    if (spot !== undefined)
      mistakes.push({code: 'second-document', message, spot, hint: 'write it into a file of its own'})
  return mistakes
}

/** Finds apps with `tty` on a machine without terminals: they are not started. */
function withoutTerminal(entries: readonly Entry[]): readonly Mistake[] {
  return entries.flatMap(({settings, plan: {id, tty}}) => {
    const why = tty === true ? whyNoTerminal() : ''
    if (why === '') return []
    const message = `app ${JSON.stringify(id)} gets no terminal: ${why}`
    return {code: 'no-terminal', message, spot: settings.spot('tty'), hint: 'remove tty where you can do without'}
  })
}

const PORT_KEYS = {
  daprHTTPPort: 'httpPort',
  daprGRPCPort: 'grpcPort',
  metricsPort: 'metricsPort',
  daprInternalGRPCPort: 'internalGrpcPort'
} as const

/** Finds ports of sidecars that are named twice. The message is Dapr's for a port in use. */
function repeatedPorts(entries: readonly Entry[], source: Source, wanted: readonly string[]): readonly Mistake[] {
  const ports = entries.flatMap(({settings, plan}) =>
    (Object.keys(PORT_KEYS) as (keyof typeof PORT_KEYS)[]).flatMap(key => {
      const port = plan.sidecar[PORT_KEYS[key]]
      return port === 0 ? [] : [{key, port, settings, plan}]
    })
  )
  return ports.flatMap(({key, port, settings, plan}, index) => {
    const first = ports
      .slice(0, index)
      .find(
        each => each.port === port && meet(each.plan, plan, wanted) && shareAnAddress(each.plan.sidecar, plan.sidecar)
      )
    if (first === undefined) return []
    const place = placeText(source, first.settings.spot(first.key))
    return {
      code: 'duplicate-port',
      message: `invalid configuration for ${PORT_NAMES[key]}. Port ${port} is not available`,
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

/** Finds an `env` that names a port which Pillion allocates: most programs read only `PORT`, and would listen at a port without calls. */
function ownPorts({settings, plan}: Entry): readonly Mistake[] {
  const {channel, published} = plan
  const {autoPort, env = {}} = settings.values
  if (!channel.autoPort && channel.port > 0) return unsetPort(settings, plan)
  if (!channel.autoPort || (autoPort !== true && published === undefined)) return []
  return Object.entries({PORT: 'APP_PORT', APP_PORT: 'PORT'}).flatMap(([name, other]) => {
    const port = env[name]
    // a program with this number in its code may keep it: Pillion moves its bind to the allocated port
    if (port === undefined || Number(port) === published?.inCode || Number(port) === published?.number) return []
    const chooser = published === undefined ? 'autoPort chooses' : 'it is to listen at'
    const message = `env sets ${name}, in place of the port that ${chooser}: only ${other} has that one`
    const remedy =
      published === undefined ? `appPort: ${port} in place of autoPort` : `fixedPort: ${port}, if it is in the code`
    const fixed = /^\d+$/.test(port) ? `, or write ${remedy}` : ''
    return {code: 'own-port' as const, message, spot: settings.spot('env', name), hint: `leave ${name} out${fixed}`}
  })
}

/** Finds a `$PORT` in the command of an app with `appPort`: Pillion sets `PORT` only for allocated ports. */
function unsetPort(settings: Entry['settings'], {command, env, channel: {port}}: Entry['plan']): readonly Mistake[] {
  const at = command.findIndex(text => /\$(?:PORT\b|\{PORT\b)/.test(text))
  if (at < 0 || env['PORT'] !== undefined) return []
  const message = `the command names $PORT, which has the shell's value in an app with appPort: ${port} is in $APP_PORT`
  const spot = settings.spot('command', at.toString())
  return [{code: 'own-port', message, spot, hint: `write $APP_PORT, or port: ${port} in place of appPort`}]
}

/** Finds globs of `watch` that match nothing: their folder is missing or never watched. */
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
    const near = nearMiss(basename(first), namesInFolder(dirname(first)))
    const message = `watch matches nothing: there is no ${relative(folder, first)} in the app's folder`
    return {message, hint: near === '' ? '' : `did you mean ${near}?`}
  }
  if (!matchesNothing(glob, {paths: [], ignore, honoursGitignore: false}, folder)) return undefined
  return {
    message: `watch matches nothing: all that ${JSON.stringify(glob)} matches is never watched, or is in watch.ignore`
  }
}
