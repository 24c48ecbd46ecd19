import t, {type Test} from 'tap'
import type {Blocks} from '../../../../src/dapr/sidecar/blocks/blocks.ts'
import type {CallRecord} from '../../../../src/model/call.ts'
import type {StateSet} from '../../../../src/dapr/sidecar/blocks/state-requests.ts'
import type {OnGone} from '../../../../src/proxy/gateway/interceptors/resiliency/component-policies.ts'
import {connect, request} from './caller.ts'
import {echoApp, onBothPaths, openTestSidecar, type SidecarSettings, type TestSidecar} from './rig.ts'

/** State that answers in a later turn, and knows keys that go wrong. */
class SlowState {
  readonly saved = new Map<string, Buffer>()
  readonly #asked = Promise.withResolvers<void>()
  /** A value has been asked for, and is not given yet. */
  readonly asked = this.#asked.promise

  async save(_: string, wishes: readonly StateSet[]): Promise<void> {
    await new Promise(setImmediate)
    for (const {key, value} of wishes) {
      if (key === 'bug') throw new TypeError('BUG')
      this.saved.set(key, value)
    }
  }

  async get(_: string, key: string): Promise<unknown> {
    this.#asked.resolve()
    await new Promise(setImmediate)
    const data = this.saved.get(key)
    return data && {data, etag: '1', metadata: {}}
  }
}

const open = async (
  t: Test,
  settings: SidecarSettings = {}
): Promise<TestSidecar & {readonly state: SlowState; readonly records: CallRecord[]}> => {
  const state = new SlowState()
  const records: CallRecord[] = []
  const sidecar = await openTestSidecar(t, {
    blocks: async () => Promise.resolve({state} as unknown as Blocks),
    recorded: record => void records.push(record),
    ...settings
  })
  return {...sidecar, state, records}
}

const save = (key: string, value: string, lines = ''): readonly [head: string, body: string] => {
  const body = JSON.stringify([{key, value}])
  const length = Buffer.byteLength(body).toString()
  return [`POST /v1.0/state/store HTTP/1.1\r\nHost: localhost\r\n${lines}Content-Length: ${length}\r\n\r\n`, body]
}

const get = (key: string, more = ''): string =>
  `GET /v1.0/state/store/${key}${more} HTTP/1.1\r\nHost: localhost\r\n\r\n`

onBothPaths('calls to building blocks and to apps on one connection are answered in their order', async t => {
  const {port: appPort} = await echoApp(t)
  const {port, records} = await open(t, {appPort})
  const caller = await connect(t, port)
  caller.send(save('pear', 'one').join('') + get('pear') + request({body: 'echo'}) + get('a+b') + get('pear'))
  t.match(await caller.answer(), {status: 204, body: '', headers: {traceparent: /^00-/, date: /GMT$/}})
  t.match(await caller.answer(), {
    status: 200,
    body: '"one"',
    headers: {'content-type': 'application/json', etag: '1', 'content-length': '5'}
  })
  t.match(await caller.answer(), {status: 200, body: 'echo'})
  t.match(await caller.answer(), {status: 204})
  t.match(await caller.answer(), {status: 200, body: '"one"'})
  t.match(
    records.map(({call: {path}, status}) => [path, status]),
    [
      ['/v1.0/state/store', 204],
      ['/v1.0/state/store/pear', 200],
      ['/echo', 200],
      [/a\+b$/, 204],
      [/pear$/, 200]
    ]
  )
})

onBothPaths('a body may come in pieces, and be large', async t => {
  const {port, state} = await open(t)
  const caller = await connect(t, port)
  for (const size of [10, 50_000, 300_000]) {
    const [head, body] = save('pear', 'x'.repeat(size))
    for (const piece of [head.slice(0, 30), head.slice(30), body.slice(0, 7), body.slice(7)]) {
      caller.send(piece)
      await new Promise(setImmediate)
    }
    t.match(await caller.answer(), {status: 204})
    t.equal(state.saved.get('pear')?.length, size + 2)
  }
})

onBothPaths('a body beyond the limit is refused', async t => {
  const {port, state} = await open(t, {limits: {maxBodyBytes: 1000, readBufferBytes: 4096}})
  const caller = await connect(t, port)
  caller.send(save('pear', 'x'.repeat(2000)).join(''))
  t.match(await caller.answer(), {status: 400, body: /ERR_BODY_READ/})
  t.equal(state.saved.size, 0)
})

onBothPaths('an error of ours closes the connection, and no other', async t => {
  const {port, warnings} = await open(t)
  const other = await connect(t, port)
  const caller = await connect(t, port)
  caller.send(save('bug', 'x').join(''))
  t.equal(await caller.closed(), '')
  t.match(warnings, [/BUG/])
  other.send(get('pear'))
  t.match(await other.answer(), {status: 204})
})

onBothPaths('a caller who leaves disturbs nobody; the answer that is under way at a stop is given', async t => {
  const {port, sidecar, state, warnings} = await open(t)
  const leaving = await connect(t, port)
  leaving.send(save('left', 'x').join(''))
  leaving.socket.destroy()
  const caller = await connect(t, port)
  caller.send(save('stays', 'x').join(''))
  while (!state.saved.has('stays')) await new Promise(setImmediate)
  t.match(await caller.answer(), {status: 204})
  caller.send(get('stays'))
  await state.asked
  const closed = sidecar.close()
  t.match(await caller.answer(), {status: 200, body: '"x"'})
  await closed
  t.same(warnings, [])
})

t.test('a call with many parts has one listener for a caller who leaves: the latest', async t => {
  const warnings: string[] = []
  const onWarning = ({message}: Error): void => void warnings.push(message)
  process.on('warning', onWarning)
  t.teardown(() => process.off('warning', onWarning))
  const left = Promise.withResolvers<number>()
  const {promise: isAsked, resolve: asked} = Promise.withResolvers<void>()
  const save = async (_store: string, _changes: readonly StateSet[], onGone?: OnGone): Promise<void> => {
    for (let part = 1; part <= 20; part++) onGone?.(() => left.resolve(part))
    asked()
    await left.promise
  }
  const {port} = await openTestSidecar(t, {
    hasFastPath: false,
    blocks: async () => Promise.resolve({state: {save}} as unknown as Blocks)
  })
  const caller = await connect(t, port)
  caller.send('POST /v1.0/state/s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n[]')
  await isAsked
  caller.socket.destroy()
  t.equal(await left.promise, 20)
  t.same(warnings, [])
})
