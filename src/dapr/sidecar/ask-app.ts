import type {AppResponse} from '../../proxy/gateway/app-request.ts'
import type {CallContext} from '../../proxy/gateway/call-context.ts'
import {pause} from '../../platform/delay.ts'
import type {AppRuntime} from '../../supervisor/app-runtime.ts'
import type {Callee} from '../../proxy/gateway/local-apps.ts'
import type {PostToApp} from './blocks/block-context.ts'

/** A request by which the sidecar asks an app: for its topics, actors or bindings. */
export interface Question {
  readonly runtime: AppRuntime
  readonly context: Pick<CallContext, 'heldBodies'>
  readonly path: string
  readonly signal: AbortSignal
  /** Whether the process has exited. The next process is asked separately. */
  readonly isObsolete: () => boolean
  readonly warn: (text: string) => void
}

/** Whether the app answers requests of a Dapr sidecar. A Daeploy service, which has a fixed port, does not. */
const isDaprApp = ({plan: {fixedPort}}: AppRuntime): boolean => fixedPort === 0

/** Whether an app can be asked over HTTP. */
export const takesQuestions = (runtime: AppRuntime): boolean =>
  isDaprApp(runtime) && !runtime.plan.channel.protocol.startsWith('grpc')

/** Whether the sidecar asks an app, over HTTP or gRPC, for its topics and actors. */
export const mayAsk = (runtime: AppRuntime): boolean => !runtime.opening.isUnasked && isDaprApp(runtime)

/** Minimum and maximum wait for the answer of an app that may fall asleep, in ms. Meanwhile the question keeps the app awake. */
const MIN_ANSWER_MS = 10_000
const MAX_ANSWER_MS = 3_600_000

/** Returns the longest wait for an app's answer, in ms: an app that may fall asleep may not know these requests. Other apps have no limit. */
const answerMs = ({wanted: {idleTimeoutMs = Infinity}}: AppRuntime): number =>
  idleTimeoutMs === Infinity ? Infinity : Math.min(Math.max(MIN_ANSWER_MS, idleTimeoutMs), MAX_ANSWER_MS)

/** Returns a signal that aborts with the given one, or after the longest wait for the app's answer. */
export function untilAnswer(runtime: AppRuntime, signal: AbortSignal): AbortSignal {
  const ms = answerMs(runtime)
  return ms === Infinity ? signal : AbortSignal.any([signal, AbortSignal.timeout(ms)])
}

/** Delays before an app is asked again, in ms (Dapr: DaprBuiltInInitializationRetries). */
const AGAIN_MS = [500, 1000, 2000]

/**
 * Repeats a question whose connection broke after it was sent: the proxy of a container accepts connections before the app does.
 * `over`: aborted when the answer is no longer needed.
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

/** Asks an app over HTTP. Resolves with undefined if its process has exited, or must not be asked. */
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

/** Matches commands that may start a database or the like. Only such a command is examined closely. */
const MAY_BE_SERVER =
  /\b(?:npm|pnpm|yarn|bun) |postg|postmaster|pg_|redis|valkey|memcached|mongo|mysql|maria|rabbit|nats|mosquitto|etcd|minio|mail/i

/** Whether an app is a database or the like, which would treat an HTTP request as an attack. */
export async function isServer(plan: AppRuntime['plan']): Promise<boolean> {
  const {command, ready} = plan
  const words = ready.kind === 'command' ? [...command, ...ready.command] : command
  return MAY_BE_SERVER.test(words.join(' ')) && (await import('../../files/config/data-server.ts')).isDataServer(plan)
}

/** Returns a function that posts JSON to an app, and resolves with the reason why the app did not accept it; '': it did. */
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
