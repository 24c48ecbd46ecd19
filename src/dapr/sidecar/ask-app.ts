import type {AppResponse} from '../../proxy/gateway/app-request.ts'
import type {CallContext} from '../../proxy/gateway/call-context.ts'
import {pause} from '../../platform/delay.ts'
import type {AppRuntime} from '../../supervisor/app-runtime.ts'
import type {Callee} from '../../proxy/gateway/local-apps.ts'
import type {PostToApp} from './blocks/block-context.ts'

export interface Question {
  readonly runtime: AppRuntime
  readonly context: Pick<CallContext, 'heldBodies'>
  readonly path: string
  readonly signal: AbortSignal
  /** Aborted when the process has exited: otherwise the question would wait for the next process, which is asked separately. */
  readonly isObsolete: () => boolean
  readonly warn: (text: string) => void
}

/** Whether the app speaks Dapr's API. A Daeploy service does not. */
const isDaprApp = ({plan: {fixedPort}}: AppRuntime): boolean => fixedPort === 0

/** Whether the sidecar may ask an app over HTTP, once the run uses Dapr. */
export const takesQuestions = (runtime: AppRuntime): boolean =>
  isDaprApp(runtime) && !runtime.plan.channel.protocol.startsWith('grpc')

/** Whether the sidecar asks an app for its topics and actors. */
export const mayAsk = (runtime: AppRuntime): boolean => !runtime.opening.isUnasked && isDaprApp(runtime)

/** Minimum time that a sidecar's question may keep an app awake that does not answer it, if its `idleTimeout` is shorter; in ms. */
const MIN_ANSWER_MS = 10_000
const MAX_ANSWER_MS = 3_600_000

/** Returns the wait for an app's answer about its topics and actors, in ms: an app that may fall asleep need not know these questions. */
const answerMs = ({wanted: {idleTimeoutMs = Infinity}}: AppRuntime): number =>
  idleTimeoutMs === Infinity ? Infinity : Math.min(Math.max(MIN_ANSWER_MS, idleTimeoutMs), MAX_ANSWER_MS)

/** Returns a signal that aborts with the given one, or when the app has not answered for too long. */
export function untilAnswer(runtime: AppRuntime, signal: AbortSignal): AbortSignal {
  const ms = answerMs(runtime)
  return ms === Infinity ? signal : AbortSignal.any([signal, AbortSignal.timeout(ms)])
}

/** Pauses before an app is asked again, in ms (Dapr: DaprBuiltInInitializationRetries). */
const AGAIN_MS = [500, 1000, 2000]

/**
 * Repeats a question after a broken connection: an app behind a container's proxy may accept connections before it answers. `over`: the
 * answer is no longer needed.
 */
export async function askedAgain<R extends {readonly kind: string; readonly wasSent?: boolean}>(
  ask: () => Promise<R>,
  over: AbortSignal,
  isObsolete = () => false
): Promise<R> {
  let response = await ask()
  for (const waitMs of AGAIN_MS) {
    if (response.wasSent !== true) break
    await pause(waitMs, over)
    if (over.aborted || isObsolete()) break
    response = await ask()
  }
  return response
}

/** Asks an app a question of Dapr's sidecar. Resolves with undefined if its process has exited. */
export async function askApp({
  runtime,
  context: {heldBodies},
  path,
  signal,
  isObsolete,
  warn
}: Question): Promise<AppResponse | undefined> {
  if (await isServer(runtime.plan)) return undefined
  const {requestApp} = await import('../../proxy/gateway/app-request.ts')
  if (isObsolete()) return undefined
  const over = untilAnswer(runtime, signal)
  const question = {
    app: runtime,
    context: {heldBodies},
    method: 'GET',
    path,
    lines: `Dapr-App-Id: ${runtime.id}\r\nContent-Type: application/json\r\n`,
    body: Buffer.alloc(0),
    signal: over,
    warn
  }
  return askedAgain(async () => requestApp(question), over, isObsolete)
}

/** Words of databases and the like, or of packages that start one, in a command: only such a command is examined closely. */
const MAY_BE_SERVER =
  /\b(?:npm|pnpm|yarn|bun) |postg|postmaster|pg_|redis|valkey|memcached|mongo|mysql|maria|rabbit|nats|mosquitto|etcd|minio|mail/i

/** Whether an app is a database or the like, which would treat a question of HTTP as an attack. */
export async function isServer(plan: AppRuntime['plan']): Promise<boolean> {
  const {command, ready} = plan
  const words = ready.kind === 'command' ? [...command, ...ready.command] : command
  return MAY_BE_SERVER.test(words.join(' ')) && (await import('../../files/config/data-server.ts')).isDataServer(plan)
}

/** Posts JSON to an app. Returns why the app did not accept it, '' otherwise. */
export const postTo =
  (app: Callee, context: () => CallContext, warn: (text: string) => void): PostToApp =>
  async (path, body, attempt) => {
    const {requestApp} = await import('../../proxy/gateway/app-request.ts')
    const response = await requestApp({
      app,
      context: context(),
      method: 'POST',
      path,
      lines: 'Content-Type: application/json\r\n',
      body: Buffer.from(body),
      attempt,
      warn
    })
    if (response.kind !== 'response') return response.why
    return response.status >= 200 && response.status < 300 ? '' : `status code ${response.status}`
  }
