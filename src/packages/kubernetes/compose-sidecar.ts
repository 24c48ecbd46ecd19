import {basename, dirname} from 'node:path'
import type {Entry} from '../../files/config/service-versions.ts'
import {listenAddresses, ofAnotherHost} from './annotations.ts'
import {podPort} from './variables.ts'

/** The same ports for every sidecar: each is in the network of its own app's container. */
export const SIDECAR_PORTS = {DAPR_HTTP_PORT: '3500', DAPR_GRPC_PORT: '50001'} as const

const PLACEMENT_PORT = '50005'
const PLACEMENT = `placement:${PLACEMENT_PORT}`
const SCHEDULER_PORT = '50006'
const SCHEDULER = `scheduler:${SCHEDULER_PORT}`

/**
 * Returns the sidecar of an app as a compose service: a real daprd in the network of the app's container, with the template's settings.
 * `shown`: a path as in the compose file. `dapr`: the version of the images.
 */
export function daprdService(entry: Entry, shown: (path: string) => string, dapr: string): object {
  const {id, resources} = entry.plan
  const {folders, configFile, defaultFolder} = resources
  const isAsked = (path: string): boolean => path !== '' && dirname(path) !== defaultFolder
  // folders are numbered, so that paths of this machine do not appear
  const mounts = folders.filter(isAsked).map((path, index) => ({path, at: `/dapr/resources/${index}`}))
  const config = isAsked(configFile) ? [{path: configFile, at: `/dapr/${basename(configFile)}`}] : []
  const flags = [
    ...flagsOf(entry, dapr),
    ...mounts.flatMap(({at}) => ['--resources-path', at]),
    ...config.flatMap(({at}) => ['--config', at])
  ]
  const volumes = [...mounts, ...config].map(({path, at}) => `${shown(path)}:${at}:ro`)
  return {
    image: `daprio/daprd:${dapr}`,
    command: ['./daprd', ...flags.map(word => word.replaceAll('$', '$$$$'))],
    network_mode: `service:${id}`,
    depends_on: [
      id,
      ...(needsPlacement(entry) ? ['placement'] : []),
      ...(needsScheduler(entry, dapr) ? ['scheduler'] : [])
    ],
    ...(volumes.length > 0 && {volumes})
  }
}

/** Returns daprd's flags, as Dapr's own command line passes them (`pkg/standalone/run.go`). */
function flagsOf(entry: Entry, dapr: string): readonly string[] {
  const {settings, plan} = entry
  const {values} = settings
  const {channel, sidecar, health} = plan
  const port = podPort(entry)
  const named: readonly (readonly [flag: string, value: string | number | undefined])[] = [
    ['app-id', plan.id],
    ['app-port', port > 0 ? port : undefined],
    ['app-protocol', channel.protocol],
    ['app-channel-address', channel.address],
    ['app-max-concurrency', channel.maxConcurrency > 0 ? channel.maxConcurrency : undefined],
    ['dapr-http-port', SIDECAR_PORTS.DAPR_HTTP_PORT],
    ['dapr-grpc-port', SIDECAR_PORTS.DAPR_GRPC_PORT],
    ['dapr-listen-addresses', listenAddresses(sidecar)],
    ['metrics-port', sidecar.metricsPort > 0 ? sidecar.metricsPort : undefined],
    ['log-level', values.logLevel ? sidecar.logLevel : undefined],
    ['max-body-size', values.maxBodySize],
    ['read-buffer-size', values.readBufferSize],
    ['app-health-check-path', health.enabled ? health.path : undefined],
    ['app-health-probe-interval', health.enabled ? health.intervalMs / 1000 : undefined],
    ['app-health-probe-timeout', health.enabled ? health.timeoutMs : undefined],
    ['app-health-threshold', health.enabled ? health.threshold : undefined],
    ['placement-host-address', placementOf(entry)],
    ['scheduler-host-address', schedulerOf(entry, dapr)]
  ]
  const switches = {
    'enable-app-health-check': health.enabled,
    'enable-api-logging': sidecar.apiLogging,
    'enable-profiling': values.enableProfiling === true
  }
  return [
    ...named.flatMap(([flag, value]) => (value === undefined || value === '' ? [] : [`--${flag}`, value.toString()])),
    ...Object.entries(switches).flatMap(([flag, isOn]) => (isOn ? [`--${flag}`] : []))
  ]
}

/** Returns the template's address, or that of a service of the compose file; '' turns it off, as in Dapr. */
const addressOf = (written: string | undefined, own: string): string =>
  written === '' ? '' : (ofAnotherHost(written) ?? own)

const placementOf = ({settings}: Entry): string => addressOf(settings.values.placementHostAddress, PLACEMENT)

/** Whether this version of Dapr stores jobs, reminders and timers of workflows in a scheduler: since 1.14. */
function hasScheduler(dapr: string): boolean {
  const [, major = '', minor = ''] = /^v?(\d+)\.(\d+)/.exec(dapr) ?? []
  return major === '' || Number(major) > 1 || Number(minor) >= 14
}

const schedulerOf = ({settings}: Entry, dapr: string): string =>
  hasScheduler(dapr) ? addressOf(settings.values.schedulerHostAddress, SCHEDULER) : ''

/** Whether the sidecar of an app uses the scheduler of the compose file. */
export const needsScheduler = (entry: Entry, dapr: string): boolean => schedulerOf(entry, dapr) === SCHEDULER

/** Folder of the scheduler's data: `dapr init` mounts it, too, and the image's user may write to it. */
const SCHEDULER_FOLDER = '/var/lock'

export const schedulerService = (dapr: string): object => ({
  image: `daprio/scheduler:${dapr}`,
  command: ['./scheduler', '--port', SCHEDULER_PORT, '--etcd-data-dir', `${SCHEDULER_FOLDER}/dapr/scheduler`],
  volumes: [`scheduler:${SCHEDULER_FOLDER}`]
})

/** Whether the sidecar of an app uses the placement service of the compose file. */
export const needsPlacement = (entry: Entry): boolean => placementOf(entry) === PLACEMENT

export const placementService = (dapr: string): object => ({
  image: `daprio/placement:${dapr}`,
  command: ['./placement', '--port', PLACEMENT_PORT]
})
