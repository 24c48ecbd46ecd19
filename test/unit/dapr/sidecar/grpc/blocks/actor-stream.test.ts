import t from 'tap'
import {
  SubscribeActorEventsRequestAlpha1,
  SubscribeActorEventsResponseAlpha1
} from '../../../../../../src/model/dapr/messages/actors.generated.ts'
import type {Blocks} from '../../../../../../src/dapr/sidecar/blocks/blocks.ts'
import type {ActorSession} from '../../../../../../src/dapr/sidecar/blocks/actor-streams.ts'
import {subscribeActorEvents} from '../../../../../../src/dapr/sidecar/grpc/blocks/subscribe-actor-events.ts'
import type {ServerStream} from '../../../../../../src/dapr/sidecar/grpc/server-stream.ts'
import {decode, encode, type Message} from '../../../../../../src/proxy/net/grpc/message-codec.ts'
import type {ActorRequest} from '../../../../../../src/work/actor/actor-host.ts'

type Sent = Partial<Message<typeof SubscribeActorEventsRequestAlpha1>>

const CALL = {
  type: 'cart',
  id: '1',
  work: {kind: 'method', method: 'add', query: '', lines: '', body: Buffer.alloc(0)},
  reentrancyId: '',
  onStop: () => undefined
} as unknown as ActorRequest

/** A stream by which an app hosts the type `cart`. */
function open() {
  const closing = new AbortController()
  const sent: Buffer[] = []
  const messages: Promise<Uint8Array>[] = []
  const waiting: ((message: Uint8Array) => void)[] = []
  const say = (message: Sent): void => waiting.shift()?.(encode(SubscribeActorEventsRequestAlpha1, message))
  const read = Promise.withResolvers<void>()
  const stream = {
    next: async () => messages.shift(),
    send: (message: Buffer) => void sent.push(message),
    isBehind: false,
    sendInTurn: async (message: Buffer, isWanted: () => boolean) => {
      if (stream.isBehind) await read.promise
      if (isWanted()) sent.push(message)
    },
    ended: new AbortController().signal,
    closing: closing.signal
  }
  for (let n = 0; n < 3; n++) messages.push(new Promise(resolve => waiting.push(resolve)))
  const {promise: session, resolve} = Promise.withResolvers<ActorSession>()
  const closed: unknown[] = []
  const actorStreams = {
    open: async (each: ActorSession) => resolve(each),
    closed: (each: unknown) => closed.push(each),
    warn: () => undefined
  }
  const ended = subscribeActorEvents(stream as unknown as ServerStream, {actorStreams} as unknown as Blocks)
  const config = {actorIdleTimeout: undefined, drainOngoingCallTimeout: undefined, reentrancy: undefined}
  say({initialRequest: {entities: ['cart'], entitiesConfig: [], drainRebalancedActors: undefined, ...config}})
  return {session, say, closing, closed, ended, sent, stream, read}
}

t.test('metadata of an answer that are no headers, or those of its connection, do not reach the caller', async t => {
  const {session, say} = open()
  const answer = (await session).send(CALL)
  const metadata = {
    a: '1',
    'content-length': '3',
    'Transfer-Encoding': 'chunked',
    connection: 'close',
    é: 'x',
    b: '2\r\nc: 3'
  }
  say({invokeResponse: {id: '1', data: Buffer.from('hello'), metadata, error: false}})
  t.match(await answer, {kind: 'done', lines: 'a: 1\r\nb: 2 c: 3\r\n'})
})

t.test('the sidecar closes: no turn begins any more, the stream ends when those under way are over', async t => {
  const {session, say, closing, closed, ended} = open()
  const own = await session
  const answer = own.send(CALL)
  closing.abort()
  await new Promise(setImmediate)
  t.same(closed, [own])
  say({invokeResponse: {id: '1', data: Buffer.from('hello'), metadata: {}, error: false}})
  t.match(await answer, {kind: 'done', body: Buffer.from('hello')})
  t.match(await ended, {message: 'stream closed'})
})

t.test('headers of a caller reach the app as they were sent', async t => {
  const {session, sent} = open()
  const lines = `x-name: ${Buffer.from('Zoë').toString('latin1')}\r\n`
  void (await session).send({...CALL, work: {...CALL.work, lines}} as ActorRequest)
  const {invokeRequest} = decode(SubscribeActorEventsResponseAlpha1, sent.at(-1) ?? Buffer.alloc(0))
  t.match(invokeRequest, {metadata: {'x-name': 'Zoë'}})
})

t.test('an app that has yet to read what it got gets no more; what is given up meanwhile is never sent', async t => {
  const {session, sent, stream, read} = open()
  const host = await session
  const before = sent.length
  stream.isBehind = true
  const stops: (() => void)[] = []
  const given = host.send({...CALL, onStop: (stop: () => void) => void stops.push(stop)})
  void host.send(CALL)
  t.equal(sent.length, before)
  for (const stop of stops) stop()
  t.match(await given, {kind: 'lost'})
  stream.isBehind = false
  read.resolve()
  await new Promise(setImmediate)
  t.equal(sent.length, before + 1)
})
