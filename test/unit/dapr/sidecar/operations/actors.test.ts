import t from 'tap'
import type {Blocks} from '../../../../../src/dapr/sidecar/blocks/blocks.ts'
import {ACTOR_OPERATIONS} from '../../../../../src/dapr/sidecar/operations/actors.ts'
import type {BlockCaller} from '../../../../../src/dapr/sidecar/operations/operation.ts'

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const OTHER = '00-1bf7651916cd43dd8448eb211c80319c-c7ad6b7169203331-01'

/** The header lines of an actor's call that has this metadata. */
async function linesOf(metadata: Readonly<Record<string, string>>): Promise<string> {
  let sent = ''
  const invoke = async ({lines}: {readonly lines: string}) => {
    sent = lines
    return Promise.resolve({body: Buffer.alloc(0)})
  }
  const caller = {onGone: () => undefined, trace: {traceparent: TRACE, tracestate: ''}}
  const message = {actorType: 'Cart', actorId: '1', method: 'add', data: new Uint8Array(0), metadata}
  const {grpc} = ACTOR_OPERATIONS.InvokeActor ?? {}
  await grpc?.answer({actors: {invoke}} as unknown as Blocks, message, caller as unknown as BlockCaller)
  return sent
}

t.test('an actor gets one trace: the one in the metadata of its call, else that of the call', async t => {
  t.equal(await linesOf({}), `Traceparent: ${TRACE}\r\n`)
  t.equal(await linesOf({Traceparent: OTHER}), `Traceparent: ${OTHER}\r\n`)
})
