import t, {type Test} from 'tap'
import type {CallObserver} from '../../../../src/model/call.ts'
import type {Blocks} from '../../../../src/dapr/sidecar/blocks/blocks.ts'
import type {WorkflowStart} from '../../../../src/dapr/sidecar/blocks/workflow-calls.ts'
import {ConversationRequestAlpha2} from '../../../../src/model/dapr/messages/ai.generated.ts'
import {encode} from '../../../../src/proxy/net/grpc/message-codec.ts'
import type {OnGone} from '../../../../src/proxy/gateway/interceptors/resiliency/component-policies.ts'
import {isTraceparent} from '../../../../src/dapr/sidecar/http/trace.ts'
import {binaryTrace} from '../../../../src/proxy/net/grpc/trace-fields.ts'
import {ask} from './caller.ts'
import {echoClient, openTestGrpcPort} from './grpc/rig.ts'
import {onBothPaths, openTestSidecar} from './rig.ts'

const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00'
const SENT = `Traceparent: ${TRACE}\r\nTracestate: a=1\r\n`

/** Blocks that tell what they were asked: the parents of workflows, heads of questions to models, and the lines of calls to actors. */
const openBlocks = () => {
  const parents: string[] = []
  const heads: string[] = []
  const actorLines: string[] = []
  /** Of the events of an outbox. */
  const traces: (string | undefined)[] = []
  const observer: Partial<CallObserver> = {
    started: (_, {lines}) => void heads.push(lines),
    admitted: () => undefined,
    responded: () => undefined,
    text: () => undefined,
    ended: () => undefined
  }
  const blocks = {
    workflows: {start: async ({trace}: WorkflowStart) => Promise.resolve(String(parents.push(trace)))},
    conversations: {
      context: {appId: 'a', observer},
      find: async () => Promise.resolve({model: {model: ''}}),
      ask: async () => Promise.resolve({choices: []})
    },
    state: {
      transact: async (...[, , , onGone]: readonly [unknown, unknown, unknown, OnGone]) =>
        Promise.resolve(traces.push(onGone.traceparent))
    },
    actors: {
      invoke: async ({lines}: {readonly lines: string}) => {
        actorLines.push(lines)
        return Promise.resolve({lines: '', body: Buffer.alloc(0)})
      }
    }
  } as unknown as Blocks
  return {parents, heads, actorLines, traces, blocks: async () => Promise.resolve(blocks)}
}

const BODY = '{"inputs":[{}]}'
const post = async (t: Test, port: number, path: string, lines = ''): Promise<number | undefined> => {
  const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\n${lines}Content-Length: ${BODY.length}\r\n\r\n`
  return (await ask(t, port, head + BODY))?.status
}

onBothPaths('blocks get the trace that a caller of HTTP has sent, though it is not sampled', async t => {
  const {blocks, parents, heads, actorLines, traces} = openBlocks()
  const recorded: string[] = []
  const {port} = await openTestSidecar(t, {blocks, recorded: ({request}) => void recorded.push(request.lines)})
  for (const lines of [SENT, '', 'Traceparent: 00-x\r\n']) {
    t.equal(await post(t, port, '/v1.0/workflows/dapr/order/start', lines), 202)
    t.equal(await post(t, port, '/v1.0-alpha2/conversation/llm/converse', lines), 200)
    t.equal(await post(t, port, '/v1.0/actors/cart/1/method/add', lines), 200)
    t.equal(await post(t, port, '/v1.0/state/store/transaction', lines), 204)
  }
  t.strictSame(parents, [TRACE, '', ''])
  t.match(heads, [
    `traceparent: ${TRACE}\r\n`.replace('t', 'T'),
    /^content-type: [^\r]*\r\n$/,
    /\r\nTraceparent: 00-x\r\n$/
  ])
  t.match(actorLines, [/Traceparent: 00-4bf9[^]*Tracestate: a=1/, /Traceparent: 00-/, /Traceparent: 00-[^x]/])
  t.equal(traces[0], TRACE)
  t.ok(traces.length === 3 && traces.every(trace => isTraceparent(trace ?? '')), 'none that is no trace')
  t.strictSame([...new Set(recorded)], [SENT, '', 'Traceparent: 00-x\r\n'])
  for (const lines of actorLines) t.equal(lines.match(/traceparent/gi)?.length, 1, 'once')
})

t.test('a question to a model over gRPC has the trace that its caller has sent, in either form', async t => {
  const {blocks, heads} = openBlocks()
  const {port} = await openTestGrpcPort(t, {blocks})
  const client = echoClient(t, port)
  const asked = encode(ConversationRequestAlpha2, {name: 'llm', inputs: [{messages: []}] as never})
  const binary = Buffer.from(binaryTrace(TRACE).slice(-39), 'base64')
  for (const metadata of [{traceparent: TRACE}, {'grpc-trace-bin': binary}, {}])
    t.match(await client.dapr('ConverseAlpha2', asked, metadata), {code: 0})
  const traced = `content-type: application/json\r\ntraceparent: ${TRACE}\r\n`
  t.strictSame(heads, [traced, traced, 'content-type: application/json\r\n'])
})
