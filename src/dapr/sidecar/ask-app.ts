import type {AppResponse} from '../../proxy/gateway/app-request.ts'
import type {CallContext} from '../../proxy/gateway/call-context.ts'
import type {AppRuntime} from '../../supervisor/app-runtime.ts'

export interface Question {
  readonly runtime: AppRuntime
  readonly context: Pick<CallContext, 'heldBodies'>
  readonly path: string
  readonly signal: AbortSignal
  /** Aborted when the process has exited: otherwise the question would wait for the next process, which is asked separately. */
  readonly isObsolete: () => boolean
  readonly warn: (text: string) => void
}

/** A Daeploy service knows nothing of Dapr. */
export const isDaprApp = ({plan: {fixedPort}}: AppRuntime): boolean => fixedPort === 0

/** It may be asked over HTTP. */
export const takesQuestions = (runtime: AppRuntime): boolean =>
  isDaprApp(runtime) && !runtime.plan.channel.protocol.startsWith('grpc')

/** Asks an app one of the questions that Dapr's sidecar asks when it is ready; undefined if its process has exited. */
export async function askApp({
  runtime,
  context: {heldBodies},
  path,
  signal,
  isObsolete,
  warn
}: Question): Promise<AppResponse | undefined> {
  const {requestApp} = await import('../../proxy/gateway/app-request.ts')
  if (isObsolete()) return undefined
  return requestApp({
    app: runtime,
    context: {heldBodies},
    method: 'GET',
    path,
    lines: `Dapr-App-Id: ${runtime.id}\r\nContent-Type: application/json\r\n`,
    body: Buffer.alloc(0),
    signal,
    warn
  })
}
