import type {FaultPlan} from '../../model/fault.ts'
import type {Plan, AppPlan} from '../../model/plan.ts'
import {resolveApp, type ImpliedWatch, type Overrides} from './app.ts'
import type {Template} from './decode.ts'
import {dependenciesOf} from './dependencies.ts'
import {placeOf, templateError, type Source} from './diagnose.ts'
import {readS2i} from './environment.ts'
import type {FoundTemplate} from './find.ts'
import {START_KEYS, type TopValues} from './keys.ts'
import {isPlainTemplate} from '../../model/template-name.ts'
import {checkNames, checkRoutes, checkPublished} from './published.ts'
import {locateApps, type Surroundings} from './locate.ts'
import {mergeApp, untilMistake, type ForEach, type Settings, type AppKey} from './merge.ts'
import {misspelt, noApps} from './unknown-keys.ts'
import {checkIds, checkVersions, type Entry} from './service-versions.ts'
import {appReferences, PROPERTIES, type AppReference} from '../../model/app-reference.ts'

interface Replicated {
  readonly settings: Settings
  readonly plan: AppPlan
}

/** Every instance of every app, in the template's order: `replicas` of an entry one after the other, numbered by id and version. */
function allInstances(entries: readonly Replicated[], each: ForEach): readonly AppPlan[] {
  const counts = new Map<string, number>()
  const instances = each(entries, ({settings, plan}) => {
    const replicas = replicasOf(settings, plan)
    const name = JSON.stringify([plan.id, plan.version])
    const before = counts.get(name) ?? 0
    counts.set(name, before + replicas)
    return Array.from({length: replicas}, (_, index) => {
      const instance = before + index + 1
      return index === 0 ? {...plan, instance} : {...withFreePorts(plan), instance}
    })
  })
  return instances.flat()
}

/** Returns the number of instances of an app. The instances share all values but the ports, so fixed ports are refused. */
function replicasOf(settings: Settings, {id, channel, command, ready}: AppPlan): number {
  const {replicas = 1} = settings.values
  if (replicas === 1) return 1
  const app = `app ${JSON.stringify(id)}`
  if (channel.port > 0)
    settings.refuse({
      key: 'replicas',
      message: `${app}: replicas needs a port that is another one for each instance, and appPort is always ${channel.port}`,
      hint: 'write autoPort: true in the place of appPort; or fixedPort, where the code has the number hard-wired'
    })
  if (command.length === 0)
    settings.refuse({key: 'replicas', message: `${app}: replicas needs a command to start`, hint: 'write a command'})
  if (ready.kind === 'tcp' && ready.port > 0)
    settings.refuse({
      key: 'replicas',
      message: `${app}: ready.tcp names one port for all replicas`,
      hint: 'leave out ready, or write ready: {http: /path}'
    })
  return replicas
}

const withFreePorts = (plan: AppPlan): AppPlan => ({
  ...plan,
  sidecar: {...plan.sidecar, httpPort: 0, grpcPort: 0, internalGrpcPort: 0, metricsPort: 0},
  elsewhere: {...plan.elsewhere, profilePort: plan.elsewhere.profilePort === 'none' ? 'none' : 0}
})

/** Inputs of a plan besides the template. */
export interface Given extends Surroundings, Overrides {
  readonly found: FoundTemplate
  readonly source: Source
  /** Returns the files that `--watch` watches for an app. undefined: no `--watch`. */
  readonly impliedWatch?: ImpliedWatch | undefined
  /** Maps the apps, and the faults, of the template. Default: stops at the first mistake. */
  readonly each?: ForEach | undefined
}

interface ResolvedTemplate {
  readonly plan: Plan
  /** The apps with their places in the text. */
  readonly entries: readonly Entry[]
}

/** Resolves a template, in the order of Dapr's checks (`GetApps` in its CLI). Throws a `UserError` for the first mistake. */
export function resolvePlan(
  template: Template,
  {found, source, each = untilMistake, ...given}: Given
): ResolvedTemplate {
  const {values, pairs} = template.top
  if ((values.version ?? 0) === 0) {
    const message = "required field 'version' not found in the provided run template file"
    const spot = pairs.get('version')?.value ?? misspelt(template.top, 'version')?.key ?? {start: 0, end: 0}
    throw templateError(source, {code: 'missing-key', message, spot, hint: 'write version: 1 at the top'})
  }
  const locations = locateApps(template, {source, ...found, ...given}, each)
  const entries = each(locations, ({app, folder, resources}) => {
    const settings = mergeApp(template, app, {source, folder})
    const s2i = readS2i(settings, given.env['PATH'] ?? '')
    const wrong =
      (s2i ?? settings.values.command) === undefined
        ? (misspelt(app, 'command') ?? template.top.pairs.get('command'))
        : undefined
    if (wrong !== undefined) {
      const message = `app ${JSON.stringify(settings.id)} has no command: ${wrong.name} is ignored here`
      const hint = wrong.name === 'command' ? 'write it in the app' : 'did you mean command?'
      throw templateError(source, {code: 'unknown-key', message, spot: wrong.key, hint})
    }
    return {settings, plan: resolveApp(settings, {...given, resources, s2i, isPlain: isPlainTemplate(found.shownAs)})}
  })
  checkVersions(entries, source, each)
  checkIds(entries, source, each)
  checkPublished(entries, source, each)
  checkReferences(entries, each)
  checkRoutes(entries, each)
  if (values.names !== false) checkNames(entries, {source, file: found.file, name: values.name}, each)
  const dependencies = dependenciesOf(
    entries.map(({settings}) => settings),
    each
  )
  if (entries.length === 0 && values.managerPort === undefined) throw noApps(template, source)
  const faults = async (): Promise<readonly FaultPlan[]> => {
    const ids = entries.map(({plan}) => plan.id)
    return (await import('./template-faults.ts')).templateFaults(template, {ids, source, each})
  }
  const hasService = entries.some(({plan}) => plan.fixedPort > 0)
  const plan = {
    name: values.name ?? '',
    file: found.file,
    shownAs: found.shownAs,
    managerPort: values.managerPort ?? (hasService ? ('usual' as const) : ('none' as const)),
    apps: allInstances(
      entries.map((entry, i) => {
        const watch = given.impliedWatch?.(entry, {entries, dependencies: dependencies.flat()})
        return {settings: entry.settings, plan: {...entry.plan, ...watch, dependsOn: dependencies[i] ?? []}}
      }),
      each
    ),
    atStart: Object.fromEntries(START_KEYS.flatMap(key => (values[key] === undefined ? [] : [[key, values[key]]]))),
    ...(values.setup !== undefined && values.setup.length > 0 && {setup: values.setup}),
    ...(values.teardown !== undefined && values.teardown.length > 0 && {teardown: values.teardown}),
    ...(values.allowedOrigins !== undefined && {allowedOrigins: values.allowedOrigins}),
    ...(values.conversation !== undefined && {conversation: conversationOf(template, values.conversation, source)}),
    ...(values.faults !== undefined && {faults}),
    ...(values.catchUp !== undefined && {catchUp: values.catchUp}),
    ...(values.names !== undefined && {names: values.names})
  }
  return {plan, entries}
}

function conversationOf(
  {top, within}: Template,
  modes: NonNullable<TopValues['conversation']>,
  source: Source
): NonNullable<Plan['conversation']> {
  const pair = top.pairs.get('conversation')
  const placed = Object.entries(modes).map(([name, mode]) => {
    const start = pair === undefined ? 0 : within(pair, [name]).key.start
    return [name, {mode, place: placeOf(source, start)}] as const
  })
  return Object.fromEntries(placed)
}

/** The keys whose values may name addresses of apps: they are read when a process starts. */
const MAY_NAME: readonly AppKey[] = ['env', 'command']
const READY_COMMAND = 'ready.command'

/** Refuses `${app.ID.PROPERTY}` of an unknown app, of an app without an address, and in keys that are read before ports are known. */
function checkReferences(entries: readonly Entry[], each: ForEach): void {
  const all = entries.map(({plan}) => plan)
  each(entries, ({settings}) => {
    for (const [key, inside, text] of textsOf(settings))
      for (const reference of appReferences(text)) {
        const mistake = mistakeOf(reference, key === 'ready' && inside[0] === 'command' ? READY_COMMAND : key, all)
        if (mistake !== undefined) settings.refuse({key, inside, ...mistake})
      }
  })
}

type Text = readonly [key: AppKey, inside: readonly string[], text: string]

function* textsOf({values}: Settings): Generator<Text> {
  for (const [key, value] of Object.entries(values) as [AppKey, unknown][]) yield* textsIn(key, [], value)
}

function* textsIn(key: AppKey, inside: readonly string[], value: unknown): Generator<Text> {
  if (typeof value === 'string') yield [key, inside, value]
  else if (typeof value === 'object' && value !== null)
    for (const [name, each] of Object.entries(value)) yield* textsIn(key, [...inside, name], each)
}

function mistakeOf(
  {written, id, property}: AppReference,
  key: AppKey | typeof READY_COMMAND,
  apps: readonly AppPlan[]
): {readonly message: string; readonly hint: string} | undefined {
  const app = apps.find(each => each.id === id)
  if (key !== READY_COMMAND && !MAY_NAME.includes(key))
    return {
      message: `${key} cannot contain ${written}`,
      hint: `addresses of apps have a meaning in ${MAY_NAME.join(', ')} and ${READY_COMMAND}`
    }
  if (!PROPERTIES.some(each => each === property))
    return {
      message: `${written} names no property of an app`,
      hint: `expected ${PROPERTIES.map(each => `\${app.ID.${each}}`).join(', ')}`
    }
  if (app === undefined)
    return {
      message: `${written}: the template has no app ${JSON.stringify(id)}`,
      hint: `it has ${apps.map(each => each.id).join(', ')}`
    }
  if (app.published === undefined && app.channel.port === 0 && !app.channel.autoPort)
    return {message: `${written}: ${JSON.stringify(id)} has no address`, hint: 'give it a port, or autoPort: true'}
  return undefined
}
