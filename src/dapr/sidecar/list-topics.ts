import {messageOf} from '../../model/errors.ts'
import type {LogLevel} from '../../model/plan.ts'
import type {TopicSubscription} from '../../files/resources/subscriptions.ts'
import {askApp, type Question} from './ask-app.ts'

/** Asks an app for the topics that it subscribes to; undefined: the question failed, which is logged. */
export async function listTopics(
  question: Omit<Question, 'path' | 'warn'>,
  log: (level: LogLevel, text: string) => void
): Promise<readonly TopicSubscription[] | undefined> {
  const {runtime, signal, isObsolete} = question
  if (runtime.plan.channel.protocol.startsWith('grpc')) {
    const {listGrpcTopics} = await import('./grpc/blocks/list-topics.ts')
    return isObsolete() ? undefined : listGrpcTopics(question, log)
  }
  const warn = (text: string): undefined => {
    log('warn', text)
  }
  const response = await askApp({...question, path: '/dapr/subscribe', warn})
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
  let listed: readonly unknown[]
  try {
    listed = parseListed(response.body.toString())
  } catch (error) {
    log('error', `error getting topics from app: ${messageOf(error)}`)
    return undefined
  }
  return readListed(listed, warn)
}
