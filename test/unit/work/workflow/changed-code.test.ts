import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import t from 'tap'
import {encode} from '../../../../src/proxy/net/grpc/message-codec.ts'
import {streamWorkItems} from '../../../../src/work/workflow/hub/work-item-stream.ts'
import {FAILURE_DETAILS} from '../../../../src/work/workflow/messages.ts'
import {answer, call, done, end, openHouse, order, TestWorker} from '../../../rig/workflow-house.ts'

const FAILED = 3
const STALLED = 8

const MISMATCHED = {
  id: 2,
  complete: {
    status: 3,
    result: undefined,
    carryoverEvents: [],
    failureDetails: encode(FAILURE_DETAILS, {
      errorType: 'NonDeterminismError',
      errorMessage: 'ID=1',
      stackTrace: undefined
    })
  }
}

/** What happens between two turns of a workflow, the first by process 1, and whether the code may be another one then. */
const BETWEEN: Readonly<Record<string, [status: number, what: (scene: Scene) => unknown]>> = {
  nothing: [FAILED, () => undefined],
  'its worker connects again': [FAILED, ({leave, connect}) => (leave(), connect(1))],
  'its worker connects again on another connection, as after dotnet watch': [
    STALLED,
    ({leave, connect}) => (leave(), connect(1, 'shop', {}))
  ],
  'its process has a second worker on another connection': [
    FAILED,
    ({leave, connect}) => (connect(1, 'shop', {}), leave())
  ],
  'its process has a second worker': [FAILED, ({connect, isBusy}) => ((isBusy.value = true), connect(1))],
  'it is dropped from memory': [FAILED, async ({fill}) => fill()],
  'its process is replaced': [STALLED, ({leave, connect}) => (leave(), connect(2))],
  'its process is replaced, and it is dropped from memory': [
    STALLED,
    async ({leave, connect, fill}) => (leave(), connect(2), fill())
  ],
  'a second instance of the app takes over': [
    STALLED,
    ({connect, isBusy}) => ((isBusy.value = true), connect(2, 'shop (2)'))
  ],
  'a debugger has the process, which is replaced': [STALLED, ({leave, connect}) => (leave(), connect(undefined))]
}

interface Scene {
  readonly leave: () => void
  readonly connect: (process: number | undefined, home?: string, connection?: object) => () => void
  /** Makes the first worker take no more. */
  readonly isBusy: {value: boolean}
  /** Takes the memory for instances that wait. */
  readonly fill: () => Promise<void>
}

for (const [between, [status, what]] of Object.entries(BETWEEN))
  t.test(`who has failed since its code differs: ${between}`, async t => {
    const {workflows, clock} = await openHouse(t)
    const isBusy = {value: false}
    const connection = {}
    const connect: Scene['connect'] = (process, home, own = connection) => {
      clock.pass(1000)
      const worker = Object.assign(new TestWorker(Infinity, home, process), {connection: own})
      const leave = workflows.connect('shop', worker)
      clock.pass(1000)
      return leave
    }
    const leave = workflows.connect(
      'shop',
      Object.assign(new TestWorker(Infinity, 'shop', 1), {connection, isBehind: () => isBusy.value})
    )
    clock.pass(1000)
    await workflows.start('shop', order())
    await workflows.completeTurn('shop', answer('o-1', [call(1, 'charge')]))
    clock.pass(1000)
    const fill = async (): Promise<void> => {
      await workflows.start('shop', {...order('large'), input: 'x'.repeat(17 << 20), startAt: 1e9})
    }
    await what({leave, connect, isBusy, fill})
    await workflows.completeActivity('shop', done('o-1', 1))
    await workflows.completeTurn('shop', answer('o-1', [MISMATCHED]))
    t.equal(workflows.find('shop', 'o-1')?.status, status)
  })

t.test('a rerun with code that differs fails as its process would have let it, and stalls after a reload', async t => {
  for (const isReloaded of [false, true]) {
    const {workflows, clock} = await openHouse(t)
    const leave = workflows.connect('shop', new TestWorker(Infinity, 'shop', 1))
    clock.pass(1000)
    await workflows.start('shop', order())
    await workflows.completeTurn('shop', answer('o-1', [call(1, 'charge')]))
    await workflows.completeActivity('shop', done('o-1', 1))
    await workflows.completeTurn('shop', answer('o-1', [end()]))
    const again = {id: 'o-1', eventId: undefined, newId: 'o-2', input: undefined, newChildId: undefined}
    await workflows.rerun('shop', again)
    clock.pass(1000)
    if (isReloaded) {
      leave()
      workflows.connect('shop', new TestWorker(Infinity, 'shop', 2))
    }
    await workflows.completeActivity('shop', done('o-2', 1))
    await workflows.completeTurn('shop', answer('o-2', [MISMATCHED]))
    t.equal(workflows.find('shop', 'o-2')?.status, isReloaded ? STALLED : FAILED)
  }
})

t.test('in the next run a workflow stalls that its code does not fit any more', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'work-'))
  t.teardown(() => rmSync(folder, {recursive: true}))
  const path = join(folder, 'work.db')
  const {workflows, close, clock} = await openHouse(t, path)
  workflows.connect('shop', new TestWorker(Infinity, 'shop', 1))
  clock.pass(1000)
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1', [call(1, 'charge')]))
  close()
  clock.pass(1000)
  const next = await openHouse(t, path, {clock})
  t.teardown(next.close)
  next.workflows.connect('shop', new TestWorker(Infinity, 'shop', 1))
  await next.workflows.completeActivity('shop', done('o-1', 1))
  await next.workflows.completeTurn('shop', answer('o-1', [MISMATCHED]))
  t.equal(next.workflows.find('shop', 'o-1')?.status, STALLED)
})

t.test('a rerun stalls whose source was made by another process than the one that has its first turn', async t => {
  const {workflows, clock} = await openHouse(t)
  const leave = workflows.connect('shop', new TestWorker(Infinity, 'shop', 1))
  clock.pass(1000)
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1', [call(1, 'charge')]))
  await workflows.completeActivity('shop', done('o-1', 1))
  await workflows.completeTurn('shop', answer('o-1', [end()]))
  clock.pass(1000)
  leave()
  workflows.connect('shop', new TestWorker(Infinity, 'shop', 2))
  clock.pass(1000)
  await workflows.rerun('shop', {id: 'o-1', eventId: undefined, newId: 'o-2', input: undefined, newChildId: undefined})
  await workflows.completeActivity('shop', done('o-2', 1))
  await workflows.completeTurn('shop', answer('o-2', [MISMATCHED]))
  t.equal(workflows.find('shop', 'o-2')?.status, STALLED)
  t.equal(workflows.find('shop', 'o-2')?.updated, 3000)
})

t.test('a worker that reopens its stream while another process is to take over is still one of its own', async t => {
  const {workflows, close, clock} = await openHouse(t)
  const lives = [1]
  const open = (connection: object): AbortController => {
    clock.pass(1000)
    const left = new AbortController()
    const shared = {closing: new AbortController().signal, isBehind: false, send: () => undefined}
    const stream = {...shared, ended: left.signal, connection, room: async () => Promise.resolve()}
    void streamWorkItems(workflows, {appId: 'shop', instance: 'shop', lives: () => lives}, stream, '')
    clock.pass(1000)
    return left
  }
  const [old, next] = [{}, {}]
  const first = open(old)
  lives.push(2)
  open(next)
  first.abort()
  await new Promise(setImmediate)
  const again = open(old)
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1', [call(1, 'charge')]))
  clock.pass(1000)
  again.abort()
  await new Promise(setImmediate)
  lives.shift()
  await workflows.completeActivity('shop', done('o-1', 1))
  await workflows.completeTurn('shop', answer('o-1', [MISMATCHED]))
  t.equal(workflows.find('shop', 'o-1')?.status, STALLED, 'the code may be another one')
  close()
})
