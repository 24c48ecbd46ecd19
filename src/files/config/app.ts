import {join} from 'node:path'
import type {
  AppPlan,
  Dependency,
  HealthPlan,
  LogDestination,
  LogPlan,
  RecordPlan,
  ResourcesPlan
} from '../../model/plan.ts'
import {namePlan, routePlans, publishedPlan} from './published.ts'
import {channelPlan, sidecarPlan, elsewherePlan} from './sidecar.ts'
import {readEnvFiles, type S2i} from './environment.ts'
import {checkedTime, readyPlan, sleepPlan, stopPlan, watchPlan} from './lifecycle.ts'
import type {AppKey, Settings} from './merge.ts'
import {quantityBytes} from './quantity.ts'
import type {Entry} from './service-versions.ts'

/** The port that Daeploy's SDK listens on by default. */
const DAEPLOY_PORT = 8000

/** Returns the files that `--watch` watches for an app, by its entry, the other entries and their dependencies. */
export type ImpliedWatch = (
  entry: Entry,
  all: {readonly entries: readonly Entry[]; readonly dependencies: readonly Dependency[]}
) => Pick<AppPlan, 'watch'> & Partial<Pick<AppPlan, 'reloadsItself'>>

/** Values of the command line that apply to all apps. */
export interface Overrides {
  /** `--env`: overrides the template's `env`. */
  readonly variables?: Readonly<Record<string, string>>
  /** `--profile`: leaves out apps with other profiles. Undefined leaves out none. */
  readonly profiles?: readonly string[]
  /** `--lazy`: apps without a `lazy` key start with their first call. */
  readonly lazy?: boolean
}

/** Inputs of an app's plan besides its settings. */
interface Making extends Overrides {
  readonly home: string
  readonly resources: ResourcesPlan
  /** Daeploy's file in the app's folder. */
  readonly s2i: S2i | undefined
  /** Whether the template is plain: a `pillion.yaml`, for apps that do not use Dapr. Default: false. */
  readonly isPlain?: boolean
}

/** Returns the plan of one app: every key is checked and has its value or its default. `dependsOn` is added later. */
export function resolveApp(
  settings: Settings,
  {home, resources, s2i, variables, lazy, isPlain = false}: Making
): AppPlan {
  const {id, folder, values} = settings
  const fixedPort = fixedPortOf(settings, s2i)
  const published = publishedPlan(settings)
  const channel = channelPlan(settings, fixedPort > 0 || published !== undefined)
  const envFiles = readEnvFiles(settings, home)
  const command = commandOf(settings, s2i)
  const {port, appPort, autoPort} = values
  const hasOnlyPort = port !== undefined && appPort === undefined && autoPort !== true
  const plan: AppPlan = {
    id,
    version: values.version ?? '0.0.0',
    instance: 1,
    folder,
    command,
    env: {
      ...s2i?.variables,
      ...(published ? withoutPort(envFiles.variables) : envFiles.variables),
      ...values.env,
      ...variables
    },
    envFiles: envFiles.paths,
    channel,
    sidecar: sidecarPlan(settings),
    health: healthPlan(settings),
    logs: logPlan(settings),
    record: recordPlan(settings),
    replay: values.replay ?? true,
    ...(values.otel !== undefined && {otel: values.otel}),
    ready: readyPlan(settings, channel.autoPort || channel.port > 0 ? channel.port : 'none'),
    restart: values.restart ?? 'no',
    watch: watchPlan(settings),
    reloadsItself: '',
    reload: reloadOf(settings, channel.autoPort),
    stop: stopPlan(settings),
    dependsOn: [],
    ...sleepPlan(settings, lazy),
    fixedPort,
    ...((isPlain || hasOnlyPort) && {isPlain: true}),
    ...(published !== undefined && {published}),
    ...limitsOf(settings),
    ...(values.tty === true && {tty: true}),
    ...(values.setup !== undefined && values.setup.length > 0 && {setup: values.setup}),
    ...(values.teardown !== undefined && values.teardown.length > 0 && {teardown: values.teardown}),
    ...(values.profiles !== undefined && values.profiles.length > 0 && {profiles: values.profiles}),
    resources,
    elsewhere: elsewherePlan(settings)
  }
  return {...plan, ...namePlan(settings, plan), ...routePlans(settings)}
}

/** Returns the fixed port of an app, 0 for none. Daeploy services have one (a version, or Daeploy's file and no `appPort`), other apps if they ask for it. */
function fixedPortOf({values}: Settings, s2i: S2i | undefined): number {
  const isService = values.version !== undefined || (s2i !== undefined && (values.appPort ?? 0) <= 0)
  // with a `port`, `fixedPort` is the number in the code of any program
  if (values.fixedPort !== undefined && (isService || values.port === undefined)) return values.fixedPort
  return isService ? DAEPLOY_PORT : 0
}

/** Removes PORT from an env file: callers use that number, and the program listens at another. */
const withoutPort = (variables: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(variables).filter(([name]) => name !== 'PORT'))

function commandOf(settings: Settings, s2i: S2i | undefined): readonly string[] {
  const {command} = settings.values
  if (command?.[0]?.trim() === '')
    settings.refuseToStart({
      key: 'command',
      message: 'exec: no command',
      hint: 'write a program and its arguments, or remove the key'
    })
  if (command !== undefined) return command
  if (s2i === undefined || s2i.command.length > 0) return s2i?.command ?? []
  const port = String(settings.values.fixedPort ?? DAEPLOY_PORT)
  const server = ['uvicorn', s2i.variables['APP_MODULE'] ?? '', '--port', port]
  return settings.refuse({
    code: 'missing-key',
    key: 'command',
    message: `app ${JSON.stringify(settings.id)}: APP_MODULE alone in .s2i/environment does not name a command to start`,
    hint: `write command: [${server.map(word => JSON.stringify(word)).join(', ')}]`
  })
}

function healthPlan(settings: Settings): HealthPlan {
  const {values} = settings
  const enabled = values.enableAppHealthCheck ?? false
  const intervalMs = checkedTime(positive(values.appHealthProbeInterval, 5) * 1000, settings, 'appHealthProbeInterval')
  const timeoutMs = checkedTime(positive(values.appHealthProbeTimeout, 500), settings, 'appHealthProbeTimeout')
  if (enabled && timeoutMs > intervalMs) {
    const message = 'app health checks probe timeouts must be smaller than probe intervals'
    const hint = 'appHealthProbeTimeout is in milliseconds, appHealthProbeInterval in seconds'
    settings.refuseAtStart({code: 'conflicting-keys', key: 'appHealthProbeTimeout', message, hint})
  }
  return {
    enabled,
    path: values.appHealthCheckPath || '/healthz',
    intervalMs,
    timeoutMs,
    threshold: positive(values.appHealthThreshold, 3)
  }
}

/** Zero and negative numbers count as unset, as in Dapr's sidecar. */
const positive = (number: number | undefined, otherwise: number): number =>
  number !== undefined && number > 0 ? number : otherwise

const isDestination = (word: string): word is LogDestination => ['file', 'console', 'fileAndConsole'].includes(word)

function logPlan(settings: Settings): LogPlan {
  const read = (key: 'daprdLogDestination' | 'appLogDestination', otherwise: LogDestination): LogDestination => {
    const written = settings.values[key] || otherwise
    if (isDestination(written)) return written
    const expected = 'expected file, console or fileAndConsole'
    return settings.refuse({key, message: `invalid log destination type: ${written}`, expected})
  }
  const sidecar = read('daprdLogDestination', 'file')
  return {
    sidecar,
    app: read('appLogDestination', 'fileAndConsole'),
    folder: join(settings.folder, '.dapr', 'logs'),
    keep: settings.values.logs?.keep ?? 10,
    size: logSize(settings)
  }
}

/** Default size of an app's log: a week of twenty noisy apps takes 2.5 GB, with their sidecars. */
const LOG_BYTES = '64Mi'
/** Minimum of a size. A single write may be this large, so a smaller log would rotate all the time; less memory for a program is a typo. */
const MIN_BYTES = 1024 * 1024

const logSize = (settings: Settings): number =>
  sizeIn(settings, ['logs', 'size'], settings.values.logs?.size ?? LOG_BYTES, {
    expected: 'expected a size from 1Mi up, like 64Mi, or 0 for no limit'
  })

/** Returns the bytes of a size that a key names, from `least` to `most`, or 0. Any other is refused. */
function sizeIn(
  settings: Settings,
  [key, inside]: readonly [key: AppKey, inside: string],
  written: string | number,
  {least = MIN_BYTES, most = Infinity, expected}: {least?: number; most?: number; expected: string}
): number {
  const bytes = quantityBytes(String(written))
  if (bytes === 0 || (typeof bytes === 'number' && bytes >= least && bytes <= most)) return bytes
  return settings.refuse({key, inside: [inside], message: `wrong value of ${key}.${inside}: ${written}`, expected})
}

const RECORDED_BODY_BYTES = 16 * 1024
/** Maximum of `record.body`: a larger body would displace the other recorded calls. */
const MAX_RECORDED_BODY_BYTES = 1024 * 1024

function recordPlan(settings: Settings): RecordPlan {
  const {record = true} = settings.values
  if (typeof record === 'boolean') return {bodyBytes: record ? RECORDED_BODY_BYTES : -1, mask: []}
  const bodyBytes = sizeIn(settings, ['record', 'body'], record.body ?? RECORDED_BODY_BYTES, {
    least: 0,
    most: MAX_RECORDED_BODY_BYTES,
    expected: 'expected a size up to 1Mi, like 16Ki'
  })
  return {bodyBytes, mask: record.mask ?? [], ...(record.callHeader === false && {namesCalls: false})}
}

function limitsOf(settings: Settings): Pick<AppPlan, 'limits'> {
  const {memory = 0, cpus = 0} = settings.values.limits ?? {}
  const memoryBytes = sizeIn(settings, ['limits', 'memory'], memory, {
    expected: 'expected a size from 1Mi up, like 512Mi or 2Gi'
  })
  return memoryBytes === 0 && cpus === 0 ? {} : {limits: {memoryBytes, cpus}}
}

/** `overlap` needs a port that can change with each start. In `common` it applies to the apps that have one. */
function reloadOf(settings: Settings, hasFreePort: boolean): 'replace' | 'overlap' {
  const {reload = 'replace'} = settings.values
  if (reload === 'replace' || hasFreePort) return reload
  if (!settings.isOwn('reload')) return 'replace'
  const message = 'reload: overlap needs a port that can change with each start'
  const hint = 'write autoPort: true in place of appPort, or reload: replace'
  return settings.refuse({code: 'conflicting-keys', key: 'reload', message, hint})
}
