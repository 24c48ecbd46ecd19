import type {DaprdOptions} from './daprd-process.ts'
import {isFrom} from './find-daprd.ts'
import type {DaprdFolder} from './resource-files.ts'

export interface CommandLine extends Pick<DaprdOptions, 'program' | 'plan' | 'ports'> {
  /** The port of the listener that daprd takes for the app. */
  readonly appPort: number
  readonly folder: DaprdFolder
}

const MIB = 1024 * 1024
/** The limit for bodies of any size. */
const ANY_MIB = 1024
const SCHEDULER_SINCE = [1, 14] as const

/** The command line of daprd. Dapr's own `list` reads it, and needs flags and values as separate words. */
export function commandLine({program, plan, ports, appPort, folder}: CommandLine): readonly string[] {
  const {id, sidecar, stop} = plan
  const {maxBodyBytes, readBufferBytes, logLevel} = sidecar
  const flags: readonly (readonly [string, string | number])[] = [
    ['app-id', id],
    ['app-protocol', 'http'],
    ['app-port', appPort],
    ['config', folder.config],
    ['dapr-http-port', ports.httpPort],
    ['dapr-grpc-port', ports.grpcPort],
    ['dapr-http-max-request-size', maxBodyBytes === 0 ? ANY_MIB : Math.ceil(maxBodyBytes / MIB)],
    ['dapr-http-read-buffer-size', Math.ceil(readBufferBytes / 1024)],
    ['dapr-graceful-shutdown-seconds', Math.max(1, Math.floor(stop.timeoutMs / 1000) - 1)],
    ['log-level', logLevel],
    ['placement-host-address', ''],
    ...(isFrom(program.version, SCHEDULER_SINCE) ? [['scheduler-host-address', ''] as const] : []),
    ['resources-path', folder.resources],
    ['unix-domain-socket', folder.path]
  ]
  return [
    program.path,
    ...flags.flatMap(([name, value]) => [`--${name}`, value.toString()]),
    '--enable-metrics=false',
    '--log-as-json'
  ]
}

export interface DaprdEnvironment extends Pick<DaprdOptions, 'env' | 'run' | 'life'> {
  /** Daprd sends it to the listener that it takes for the app. */
  readonly token: string
}

/** The environment that we were started in, with our marks; tokens are for our sidecar to check. */
export function daprdVariables({env, run, life, token}: DaprdEnvironment): Readonly<Record<string, string>> {
  const kept = Object.entries(env).filter(
    (pair): pair is [string, string] => pair[1] !== undefined && pair[0] !== 'DAPR_API_TOKEN'
  )
  return {...Object.fromEntries(kept), PILLION_RUN: run, PILLION_LIFE: life, APP_API_TOKEN: token}
}
