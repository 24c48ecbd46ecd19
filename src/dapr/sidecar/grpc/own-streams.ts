import {messageOf, bugText} from '../../../model/errors.ts'
import {systemClock} from '../../../platform/clock.ts'
import {EXCEEDED, INTERNAL} from '../../../proxy/net/grpc/status.ts'
import {WORK_ITEMS, type OwnMethodsContext, type OwnStreamName} from './own-methods.ts'
import type {RequestHead} from './request-head.ts'
import type {ServerStream} from './server-stream.ts'

export function serveStream(
  stream: ServerStream,
  name: OwnStreamName,
  context: OwnMethodsContext,
  isLast: boolean
): void {
  const {caller, head, deadline, sidecar} = stream.received
  caller.handler = stream
  const callOff = systemClock.after(Math.max(0, deadline - performance.now()), () => stream.end(EXCEEDED))
  if (isLast) stream.data(caller, '', true)
  void run(stream, head, name, context).catch((error: unknown) => {
    sidecar.warn(bugText(error))
    stream.end({code: INTERNAL, message: messageOf(error)})
  })
  stream.left.addEventListener('abort', callOff, {once: true})
}

async function run(
  stream: ServerStream,
  {userAgent}: RequestHead,
  name: OwnStreamName,
  context: OwnMethodsContext
): Promise<void> {
  if (name === WORK_ITEMS) {
    const [workflows, hub] = await Promise.all([
      context.workflows(),
      import('../../../work/workflow/hub/work-item-stream.ts')
    ])
    return stream.end(await hub.streamWorkItems(workflows, context, stream, userAgent))
  }
  const [blocks, {answerStream}] = await Promise.all([context.blocks(), import('../operations/answer-grpc.ts')])
  stream.end(await answerStream(blocks, name, stream))
}
