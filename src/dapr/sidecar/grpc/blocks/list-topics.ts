import type {LogLevel} from '../../../../model/plan.ts'
import {decode, DecodeError} from '../../../../proxy/net/grpc/message-codec.ts'
import {OK, UNIMPLEMENTED} from '../../../../proxy/net/grpc/status.ts'
import {requestGrpcApp} from '../../../../proxy/gateway/grpc-app-request.ts'
import type {TopicSubscription} from '../../../../files/resources/subscriptions.ts'
import {readListed} from '../../blocks/listed-subscriptions.ts'
import {askedAgain, untilAnswer, type Question} from '../../ask-app.ts'
import {ListTopicSubscriptionsResponse} from '../../../../model/dapr/messages/appcallback.generated.ts'

const PATH = '/dapr.proto.runtime.v1.AppCallback/ListTopicSubscriptions'

/** Asks a gRPC app for its topics (Dapr: pkg/runtime/pubsub, GetSubscriptionsGRPC). Resolves with undefined if the question failed. */
export async function listGrpcTopics(
  {runtime, signal, isObsolete}: Pick<Question, 'runtime' | 'signal' | 'isObsolete'>,
  log: (level: LogLevel, text: string) => void
): Promise<readonly TopicSubscription[] | undefined> {
  const warn = (text: string): undefined => {
    log('warn', text)
  }
  const message = new Uint8Array(0)
  const over = untilAnswer(runtime, signal)
  const question = {app: runtime, path: PATH, fields: '', message, signal: over, warn}
  const response = await askedAgain(async () => requestGrpcApp(question), over, isObsolete)
  if (signal.aborted || isObsolete()) return undefined
  const failed = (why: string): undefined => {
    log('error', `error getting topic list from app: ${why}`)
  }
  if (response.kind === 'unreachable') return failed(response.why)
  const {status} = response
  if (status.code === UNIMPLEMENTED) {
    log('info', 'pubsub subscriptions: gRPC app does not implement ListTopicSubscriptions')
    return []
  }
  if (status.code !== OK) return failed(status.message)
  try {
    return await readListed(itemsOf(response.message), warn, true)
  } catch (error) {
    if (error instanceof DecodeError) return failed(error.message)
    throw error
  }
}

const itemsOf = (message: Uint8Array): readonly object[] =>
  decode(ListTopicSubscriptionsResponse, message).subscriptions.map(({pubsubName, ...rest}) => ({
    ...rest,
    pubsubname: pubsubName
  }))
