import type {IncomingMessage} from 'node:http'
import {dirname, join} from 'node:path'
import type {Environment} from '../model/environment.ts'
import type * as Api from '../model/api.generated.ts'
import {messageOf, UserError} from '../model/errors.ts'
import {orElse} from '../model/or-else.ts'
import {VERSION} from '../model/version.ts'
import {systemClock} from '../platform/clock.ts'
import {pause} from '../platform/delay.ts'
import {isSuspended} from '../platform/process-table.ts'
import {ApiClient, ApiError, type Incoming} from './api-client.ts'
import {asSeen, isGone, runSockets, sendToRun} from './ask.ts'
import type {OnSkipped} from './folder.ts'
import {livingRuns} from './living-runs.ts'
import type {RunListing} from './run-control.ts'
import {livingRun, readRunFile, type RunIdentity} from './run-file.ts'

/** A response over a control socket. */
interface SocketAnswer extends Incoming {
  readonly message: IncomingMessage
}

/** A run whose control socket responds. */
export interface FoundRun {
  readonly listing: RunListing & Partial<Pick<Api.Run, 'faults'>>
  readonly api: ApiClient<SocketAnswer>
  /** The folder of its control socket, which the user alone can read. The run removes it at its end. */
  readonly folder: string
}

/** A run that does not respond in this time is skipped: on a busy machine 2 s were not enough for one that was well. */
const TIMEOUT_MS = 10_000

/** How often, and at which interval, we look whether the process of a run that has answered is gone. */
const MAX_LOOKS = 20
const LOOK_MS = 50
/** Time in ms after which a stop is reported as slow. */
const SLOW_MS = 10_000

/** Called for each run that does not respond although its process lives. */
export interface OnSilent {
  /** Decides about a suspended run (Ctrl-Z); `resume` continues its process, so that it responds again. */
  readonly suspended: (run: RunIdentity) => 'skip' | 'resume'
  /** Called while the run does not respond. `seconds`: for how long. */
  readonly slow: (run: RunIdentity, seconds: number) => void
}

/** All runs of the user that respond, oldest first. Folders without a responding socket are skipped. */
export async function findRuns(
  env: Environment,
  onSkipped: OnSkipped = () => undefined,
  {suspended, slow}: OnSilent = {suspended: () => 'skip', slow: () => undefined}
): Promise<readonly FoundRun[]> {
  const found = await Promise.all(
    (await runSockets(env, onSkipped)).map(async ({path}) => {
      const asleep = suspendedRun(dirname(path))
      if (asleep !== undefined) {
        if (suspended(asleep) === 'skip') return undefined
        orElse(() => process.kill(asleep.pid, 'SIGCONT'), false) // it may have ended by now
      }
      const run = await runAt(path, onSkipped)
      if (run !== 'silent') return run
      const living = livingRun(dirname(path))
      if (living !== undefined) slow(living, TIMEOUT_MS / 1000)
      return undefined
    })
  )
  return found
    .filter(run => run !== undefined)
    .toSorted((a, b) => a.listing.startedAt.localeCompare(b.listing.startedAt))
}

/** The run of a process, if it responds. No other run is asked: one that does not respond would keep us waiting. */
export async function runOfProcess(env: Environment, pid: number): Promise<FoundRun | undefined> {
  const living = isSuspended(pid) ? undefined : livingRuns(env).find(run => run.pid === pid)
  const run = living && (await runAt(join(living.home, 'socket'), () => undefined))
  return run === 'silent' ? undefined : run
}

/** The run of a folder if its process is stopped by a signal, Ctrl-Z for instance; undefined if it is not, or that is unknown. */
function suspendedRun(folder: string): RunIdentity | undefined {
  const identity = readRunFile(folder)?.identity
  return identity !== undefined && isSuspended(identity.pid) ? livingRun(folder) : undefined
}

/** Returns the log files that other living runs of the user write. Undefined if one of the runs does not report them: it is suspended, or too new. */
export async function logsInUse(env: Environment, self: string): Promise<ReadonlySet<string> | undefined> {
  try {
    const others = (await runSockets(env)).filter(({name}) => !self.startsWith(name))
    const runs = await Promise.all(others.map(async ({path}) => logsOf(path)))
    return new Set(runs.flat())
  } catch {
    return undefined
  }
}

async function logsOf(socketPath: string): Promise<readonly string[]> {
  try {
    const {apps} = await clientOf(socketPath).ask('GET /apps', {signal: AbortSignal.timeout(TIMEOUT_MS)})
    return apps.flatMap(({logFile, sidecarLogFile}) => [logFile, sidecarLogFile])
  } catch (error) {
    if (isGone(error)) return []
    throw error
  }
}

/** Asks the run at a socket. Resolves with undefined if it has ended, is of another version, or answers wrongly; with `silent` after the time limit. */
async function runAt(socketPath: string, onSkipped: OnSkipped): Promise<FoundRun | 'silent' | undefined> {
  const api = clientOf(socketPath)
  try {
    const listing = await api.ask('GET /run', {signal: AbortSignal.timeout(TIMEOUT_MS)})
    const {pid, version} = listing
    if (lineOf(version) === lineOf(VERSION)) return {listing, api, folder: dirname(socketPath)}
    onSkipped(`the run with pid ${pid} is of version ${version}, and this is ${VERSION}: it is skipped`)
  } catch (error) {
    if (error instanceof Error && /^(Abort|Timeout)Error$/.test(error.name)) return 'silent'
    if (!isGone(error)) onSkipped(`${dirname(socketPath)} is skipped: no run answers there (${messageOf(error)})`)
  }
  return undefined
}

/** The protocol is the same in all versions with the same first two numbers. */
const lineOf = (version: string): string => version.split('.').slice(0, 2).join('.')

/** A client of the run with this socket. */
export const clientOf = (socketPath: string): ApiClient<SocketAnswer> =>
  new ApiClient(async request => {
    const message = await sendToRun(socketPath, request).catch((error: unknown) => {
      throw asSeen(error)
    })
    return {status: message.statusCode ?? 0, body: bodyOf(message), message}
  })

async function* bodyOf(message: IncomingMessage): AsyncGenerator<Uint8Array, void> {
  try {
    yield* message as AsyncIterable<Uint8Array>
  } catch (error) {
    throw asSeen(error)
  }
}

/**
 * Sends a request about an app that the caller's message already names: an ApiError becomes a UserError with the reason alone. Throws a
 * UserError if the run ends.
 */
export async function withReason<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request()
  } catch (error) {
    if (isGone(error)) throw new UserError('the run is stopping', {cause: error})
    if (error instanceof ApiError) throw new UserError(error.reason, {explanation: error.explanation, cause: error})
    throw error
  }
}

/** Returns the result of a request, or `otherwise` if the run is gone. */
export async function unlessGone<T>(request: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await request()
  } catch (error) {
    if (isGone(error)) return otherwise
    throw error
  }
}

/**
 * Ends a run; settles when its process has exited. Throws a UserError if the run has answered, but its process stays. `onSlow` is called once, with
 * its pid, if that takes longer than 10 s: apps may have more time than that to end.
 */
export async function endRun({api, folder, listing: {pid}}: FoundRun, onSlow: (pid: number) => void): Promise<void> {
  const callOff = systemClock.after(SLOW_MS, () => onSlow(pid))
  await unlessGone(async () => api.text('POST /stop'), '')
  callOff()
  // the run answers until its process ends; then the kernel may still have to clear the process away
  for (let looks = 0; livingRun(folder)?.pid === pid; looks++) {
    if (looks === MAX_LOOKS)
      throw new UserError(`the run with pid ${pid} has not ended`, {
        explanation: `"kill ${pid}" asks it again; "kill -9 ${pid}" ends it, and its watchdog ends its apps.`,
        code: 'run-silent'
      })
    await pause(LOOK_MS)
  }
}

/** Returns the port at which others call an app: its `port`, else its own port, else 0. */
export const calledPort = ({url, appPort}: Pick<Api.App, 'url' | 'appPort'>): number =>
  Number(/\d+$/.exec(url)?.[0] ?? appPort)

/** Whether a name means an app: by its id, or by the name of one instance, such as `shop.1`. */
export const isCalled = ({id, instance}: Pick<Api.App, 'id' | 'instance'>, name: string): boolean =>
  name === id || name === `${id}.${instance}`
