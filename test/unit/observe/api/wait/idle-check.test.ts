import {mock} from 'node:test'
import t from 'tap'
import {IdleCheck} from '../../../../../src/observe/api/wait/idle-check.ts'
import {readIgnored} from '../../../../../src/observe/api/wait/ignored-calls.ts'
import type {WaitContext} from '../../../../../src/observe/api/wait/wait-context.ts'
import {CallRecorder} from '../../../../../src/observe/telemetry/recorder/call-recorder.ts'
import {aCall, aRecord, aRequest} from '../../../../rig/made-call.ts'

/** A run of which the test tells what goes on, and the time. */
class Run {
  readonly recorder = new CallRecorder(app => (app === 'vault' ? -1 : 1024))
  now = 0
  busy = ''
  count = 0
  messages: {waiting: number; count: number} | undefined = {waiting: 0, count: 0}
  isWriting = false
  readonly stop = new AbortController()
  #calls = 0

  get context(): WaitContext {
    const {recorder, stop} = this
    const part: Partial<WaitContext> = {
      recorder,
      activity: [{busy: () => this.busy, count: () => this.count}],
      backlogs: () => [
        {
          app: 'shop',
          pubsubName: 'bus',
          topic: 'orders',
          type: 'pubsub.x',
          isSeen: false,
          read: async () => this.messages ?? new Promise(() => undefined),
          manyWaiting: 0
        }
      ],
      streams: () => ({numbers: new Set(), unrecorded: 0}),
      isWriting: () => this.isWriting,
      stopping: stop.signal
    }
    return part as WaitContext
  }

  /** A call begins; the result ends it. */
  call(callee: string, path: string, method = 'GET'): () => void {
    const call = aCall({callee, method, path})
    const request = aRequest(call)
    this.recorder.started(call, request, ++this.#calls)
    return () =>
      this.recorder.ended(
        aRecord({call, request, startedAt: 0, admittedAt: 0, connectedAt: 0, firstByteAt: 0, endedAt: 1})
      )
  }
}

/** How it stands after so many ms more. */
const watched = (run: Run, patterns: readonly string[] = []) => {
  const check = new IdleCheck(run.context, 100, readIgnored(patterns), () => run.now)
  return async (ms: number): Promise<string> => {
    run.now += ms
    const {state, reason} = await check.look()
    return state === 'waiting' ? reason : state
  }
}

t.test('idle for the whole span, from the look at which nothing went on any more', async t => {
  const run = new Run()
  const after = watched(run)
  t.equal(await after(99), 'idle for 99 of 100 ms')
  const end = run.call('stock', '/a?b=c')
  t.equal(await after(1), 'call 1 (shop → stock: GET /a) is under way')
  t.equal(await after(500), 'call 1 (shop → stock: GET /a) is under way')
  end() // may be a moment before the next look
  t.match(await after(90), /^idle for 0 of 100 ms; before: call 1 /)
  t.match(await after(99), /^idle for 99 of 100 ms/)
  t.equal(await after(1), 'met')
})

t.test('what came and went between two looks is noticed', async t => {
  const run = new Run()
  const after = watched(run)
  const cases: readonly (() => void)[] = [
    () => run.call('stock', '/')(),
    () => run.call('vault', '/')(),
    () => run.count++,
    () => (run.messages = {waiting: 0, count: 1})
  ]
  for (const happen of cases) {
    t.match(await after(100), /^(met|idle for|messages)/)
    happen()
    t.match(await after(100), /^(idle for 0 of|messages of topic orders \(bus\) came)/, happen.toString())
    await after(50)
    t.match(await after(50), /^(idle|met)/)
  }
})

t.test('while something goes on, it is named', async t => {
  const run = new Run()
  const after = watched(run)
  run.busy = '"stock" is being reloaded'
  t.equal(await after(1000), '"stock" is being reloaded')
  run.busy = ''
  run.messages = {waiting: 3, count: 0}
  t.equal(await after(1000), '3 messages of topic orders (bus) wait for shop')
  run.messages = {waiting: 0, count: 0}
  const end = run.call('vault', '/')
  t.equal(await after(1000), '1 calls that are not recorded are under way')
  end()
  await after(1000)
  run.isWriting = true
  t.match(await after(1000), /a line waits to be written/, 'which does not begin the span anew')
  run.isWriting = false
  t.equal(await after(0), 'met')
  t.match(new IdleCheck(run.context, 100, undefined).unseen, [{pubsubName: 'bus', type: 'pubsub.x'}])
  run.stop.abort()
  t.equal(await after(0), 'impossible')
})

t.test('a broker that does not answer, as it is frozen, holds up no look', async t => {
  mock.timers.enable({apis: ['setTimeout']})
  t.teardown(() => mock.timers.reset())
  const run = new Run()
  const after = watched(run)
  t.equal(await after(50), 'idle for 50 of 100 ms')
  run.messages = undefined
  const look = after(50)
  mock.timers.tick(1000)
  t.equal(await look, 'met')
  run.messages = {waiting: 3, count: 0}
  const messages = '3 messages of topic'
  t.match(await after(50), messages)
  run.messages = undefined
  for (let looks = 0; looks < 3; looks++) {
    const slow = after(200)
    mock.timers.tick(1000)
    t.match(await slow, messages, 'it may be slow since they wait')
  }
})

t.test('ignored calls neither begin the span anew nor keep it from ending', async t => {
  const run = new Run()
  const after = watched(run, ['GET /poll*'])
  await after(0)
  const end = run.call('stock', '/poll?since=1')
  t.equal(await after(99), 'idle for 99 of 100 ms')
  t.equal(await after(1), 'met')
  end()
  t.equal(await after(1), 'met')
  run.call('stock', '/other')()
  t.equal(await after(1), 'idle for 0 of 100 ms')
  const listing = watched(run, ['PROPFIND /files*'])
  const listed = run.call('stock', '/files/a', 'PROPFIND')
  t.equal(await listing(100), 'met', 'a method of another protocol that is made of HTTP')
  listed()
  run.call('stock', '/files/a', 'MKCOL')
  t.equal(await listing(100), 'call 4 (shop → stock: MKCOL /files/a) is under way')
})
