import type {CallContext} from '../../proxy/gateway/call-context.ts'
import {messageOf} from '../../model/errors.ts'
import type {LogLevel} from '../../model/plan.ts'
import type {TopicSubscription} from '../../files/resources/subscriptions.ts'
import type {AppRuntime} from '../../supervisor/app-runtime.ts'
import {askApp} from './ask-app.ts'

export interface ListTopicsOptions {
  readonly runtime: AppRuntime
  readonly context: Pick<CallContext, 'heldBodies'>
  readonly signal: AbortSignal
  /** Aborted when the process has exited. */
  readonly isObsolete: () => boolean
  /** Writes to the log of the sidecar. */
  readonly log: (level: LogLevel, text: string) => void
}

/** The topics that an app lists; undefined: it could not be asked. */
export async function listTopics(options: ListTopicsOptions): Promise<readonly TopicSubscription[] | undefined> {
  const {runtime, context, signal, isObsolete, log} = options
  if (runtime.plan.channel.protocol.startsWith('grpc')) {
    const {listGrpcTopics} = await import('./grpc/blocks/list-topics.ts')
    return isObsolete() ? undefined : listGrpcTopics(options)
  }
  const warn = (text: string): undefined => {
    log('warn', text)
  }
  const response = await askApp({runtime, context, path: '/dapr/subscribe', signal, isObsolete, warn})
  if (response === undefined) return undefined
  if (response.kind === 'unreachable') {
    if (!signal.aborted && !isObsolete()) log('error', `error getting topic list from app: ${response.why}`)
    return undefined
  }
  if (response.status === 404) {
    log('debug', 'user app did not subscribe to any topic')
    return []
  }
  if (response.status !== 200)
    log('error', `app returned http status code ${response.status} from subscription endpoint`)
  if (response.status !== 200) return undefined
  const {parseListed, readListed} = await import('./blocks/listed-subscriptions.ts')
  try {
    return await readListed(parseListed(response.body.toString()), warn)
  } catch (error) {
    log('error', `error getting topics from app: ${messageOf(error)}`)
    return undefined
  }
}
