import {messageOf, bugText} from '../../model/errors.ts'
import {EXCEEDED, INTERNAL} from '../../net/grpc/status.ts'
import type {OwnMethodsContext} from './own-methods.ts'
import {ServerStream, type ServerStreamOptions} from './server-stream.ts'

const DAPR = '/dapr.proto.runtime.v1.Dapr/'
const STREAMS: ReadonlySet<string> = new Set([
  'SubscribeTopicEventsAlpha1',
  'SubscribeConfigurationAlpha1',
  'SubscribeConfiguration'
])

/** The name of a streaming method that the sidecar serves itself; '' if it is another one. */
export const ownStream = (path: string): string => {
  if (!path.startsWith(DAPR)) return ''
  const name = path.slice(DAPR.length)
  return STREAMS.has(name) ? name : ''
}

export interface OwnStreamOptions extends ServerStreamOptions {
  readonly name: string
  readonly context: OwnMethodsContext
  /** When it is to be over, as `performance.now()`; Infinity: at no time. */
  readonly deadline: number
  readonly warn: (text: string) => void
}

/** Serves a stream to its end. */
export function serveStream({name, context, deadline, warn, ...options}: OwnStreamOptions, isLast: boolean): void {
  const stream = new ServerStream(options)
  options.caller.handler = stream
  const leftMs = Math.max(0, deadline - performance.now())
  const timer = leftMs < 0x7f_ff_ff_ff ? setTimeout(() => stream.end(EXCEEDED), leftMs) : undefined
  if (isLast) stream.data(options.caller, '', true)
  void run(stream, name, context).catch((error: unknown) => {
    warn(bugText(error))
    stream.end({code: INTERNAL, message: messageOf(error)})
  })
  stream.left.addEventListener('abort', () => clearTimeout(timer), {once: true})
}

async function run(stream: ServerStream, name: string, context: OwnMethodsContext): Promise<void> {
  const [blocks, {callStream}] = await Promise.all([context.blocks(), import('./blocks/stream-methods.ts')])
  stream.end(await callStream(blocks, name, stream))
}
