/** A worker and a client of workflows at the gRPC port of a run, which send what they are told to. */
import {Client, credentials} from '@grpc/grpc-js'
import type {Test} from 'tap'
import {decode, encode} from '../../src/proxy/net/grpc/message-codec.ts'
import {FOUND_INSTANCE, GET_INSTANCE, START_INSTANCE} from '../../src/work/workflow/hub/hub-messages.ts'
import {ACTIVITY_REQUEST, EVENT, TURN_ANSWER} from '../../src/work/workflow/messages.ts'
import type {Program} from './program.ts'
import {openRig, type Rig, type TemplateApp} from './rig.ts'

const SERVICE = '/TaskHubSidecarService/'
const WORK_ITEM = {
  turn: [1, {message: {instanceId: [1, 'string'], fresh: [4, {list: EVENT}]}}],
  activity: [2, {message: ACTIVITY_REQUEST}],
  token: [10, 'string']
} as const
export type HubItem = ReturnType<typeof decode<typeof WORK_ITEM>>

const COMPLETED = 1

const bytes = (value: Buffer): Buffer => value

export interface Told {
  readonly code: number
  readonly text: string
  readonly answer: Buffer
}

export interface Hub {
  readonly rig: Rig
  readonly run: Program
  readonly call: (method: string, message: Uint8Array) => Promise<Told>
  /** The next item that the worker gets. */
  readonly item: () => Promise<HubItem>
  /** The worker leaves, and so does the client. */
  readonly close: () => void
}

export interface HubOptions {
  /** What `shop` has besides. */
  readonly app?: Readonly<Record<string, unknown>>
  readonly files?: Readonly<Record<string, string>>
  readonly others?: readonly TemplateApp[]
  /** Of the run. */
  readonly flags?: readonly string[]
}

/** A worker that says nothing by itself, and a client, at the gRPC port of `shop`. */
export async function openHub(t: Test, {app = {}, files = {}, others = [], flags = []}: HubOptions = {}): Promise<Hub> {
  const rig = await openRig(t)
  await rig.write(files)
  await rig.template([{appID: 'shop', ...app}, ...others])
  const run = rig.pillion(['run', '-f', '.', ...flags])
  const {grpc: port} = await run.ports('shop')
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1
  })
  const items: HubItem[] = []
  const waiting: ((item: HubItem) => void)[] = []
  client
    .makeServerStreamRequest(`${SERVICE}GetWorkItems`, bytes, bytes, Buffer.alloc(0))
    .on('error', () => undefined)
    .on('data', (item: Buffer) => {
      const read = decode(WORK_ITEM, item)
      const next = waiting.shift()
      if (next === undefined) items.push(read)
      else next(read)
    })
  t.teardown(() => client.close())
  const call = async (method: string, message: Uint8Array): Promise<Told> =>
    new Promise(resolve => {
      client.makeUnaryRequest(SERVICE + method, bytes, bytes, Buffer.from(message), (error, answer) =>
        resolve({code: error?.code ?? 0, text: error?.details ?? '', answer: answer ?? Buffer.alloc(0)})
      )
    })
  const item = async (): Promise<HubItem> => items.shift() ?? new Promise<HubItem>(resolve => waiting.push(resolve))
  return {rig, run, call, item, close: () => client.close()}
}

/** The answer to a turn: its end. */
export const complete = (
  instanceId: string,
  value: string,
  {ended = COMPLETED, completionToken = ''} = {}
): Uint8Array =>
  encode(TURN_ANSWER, {
    instanceId,
    completionToken,
    actions: [{id: 1, complete: {status: ended, result: {value}}} as never]
  })

/** What the hub says of an instance. */
export const instanceIn = async ({call}: Hub, instanceId: string) => {
  const {answer} = await call('GetInstance', encode(GET_INSTANCE, {instanceId, withPayloads: true}))
  return decode(FOUND_INSTANCE, answer).state
}

/** Starts one, and settles when the worker has its first turn; `started` is the answer, which waits for the end of that turn. */
export async function startIn(
  hub: Hub,
  instanceId: string,
  input = ''
): Promise<{readonly started: Promise<Told>; turn: HubItem}> {
  const started = hub.call('StartInstance', encode(START_INSTANCE, {instanceId, name: 'order', input: {value: input}}))
  return {started, turn: await hub.item()}
}
