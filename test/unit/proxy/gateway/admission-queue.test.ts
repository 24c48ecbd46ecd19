import {once} from 'node:events'
import net, {type AddressInfo} from 'node:net'
import t from 'tap'
import {AdmissionQueue, type Permit, type Queued} from '../../../../src/proxy/gateway/admission-queue.ts'

const pendingCall = (path = '/'): {caller: string; method: string; path: string} => ({
  caller: 'shop',
  method: 'GET',
  path
})
const newQueue = (capacity = 10): AdmissionQueue => new AdmissionQueue({timeoutMs: 60_000, capacity})
const isPermit = (answer: unknown): answer is Permit =>
  typeof answer === 'object' && answer !== null && 'leave' in answer
const isQueued = (outcome: unknown): outcome is Queued =>
  typeof outcome === 'object' && outcome !== null && 'cancel' in outcome

t.test('an open queue admits a call at once and counts it as in flight until it leaves', async t => {
  const queue = newQueue()
  queue.open()
  const permit = queue.admit(pendingCall('/a'))
  if (!isPermit(permit)) throw new Error('no permit')
  t.same(
    [...queue.inFlight.keys()].map(({path}) => path),
    ['/a']
  )
  permit.leave()
  t.equal(queue.inFlight.size, 0)
})

t.test('queued calls are admitted in order of arrival', async t => {
  const queue = newQueue()
  queue.hold('starting')
  const order: string[] = []
  const queued = ['/1', '/2', '/3'].map(path => {
    const admission = queue.admit(pendingCall(path))
    if (!isQueued(admission)) throw new Error('not held')
    return admission.outcome.then(() => order.push(path))
  })
  t.equal(queue.waiting, 3)
  queue.open()
  await Promise.all(queued)
  t.same(order, ['/1', '/2', '/3'])
  t.equal(queue.inFlight.size, 3)
})

t.test('a shut queue rejects new and queued calls with its reason', async t => {
  const queue = newQueue()
  queue.hold('starting')
  const queued = queue.admit(pendingCall())
  queue.shut('it exited with code 3')
  t.equal(queue.admit(pendingCall()), 'it exited with code 3')
  t.equal(isQueued(queued) && (await queued.outcome), 'it exited with code 3')
})

t.test('a caller that disconnects frees its place in the queue', async t => {
  const queue = newQueue(1)
  queue.hold('starting')
  const first = queue.admit(pendingCall())
  t.match(queue.admit(pendingCall()), /^1 calls are queued already/)
  if (!isQueued(first)) throw new Error('not held')
  first.cancel()
  t.equal(queue.waiting, 0)
  t.ok(isQueued(queue.admit(pendingCall())))
  queue.shut('closed')
})

t.test('a call that times out gets the reason why it was queued', async t => {
  const queue = new AdmissionQueue({timeoutMs: 1})
  queue.hold('"order" is starting')
  const queued = queue.admit(pendingCall())
  t.equal(isQueued(queued) && (await queued.outcome), 'waited 0 s; "order" is starting')
  t.equal(queue.waiting, 0)
})

t.test('a queue is drained when the last call in flight has ended', async t => {
  const queue = newQueue()
  queue.open()
  await queue.drained()
  const permit = queue.admit(pendingCall())
  let isDrained = false
  const drained = queue.drained().then(() => (isDrained = true))
  await Promise.resolve()
  t.equal(isDrained, false)
  if (isPermit(permit)) permit.leave()
  await drained
  t.equal(isDrained, true)
})

t.test('a crash interrupted the calls in flight and those broken shortly before, and no others', async t => {
  const queue = newQueue()
  queue.open()
  const enter = (path: string): Permit => {
    const permit = queue.admit(pendingCall(path))
    if (!isPermit(permit)) throw new Error('no permit')
    return permit
  }
  enter('/in-flight')
  enter('/broken').leave(true)
  enter('/answered').leave()
  const now = performance.now()
  t.same(
    queue
      .interruptedBy({from: 0, to: now})
      .map(({pendingCall: {path}}) => path)
      .toSorted(),
    ['/broken', '/in-flight']
  )
  t.same(
    queue.interruptedBy({from: 0, to: now + 10_000}).map(({pendingCall: {path}}) => path),
    ['/in-flight'],
    'a connection that broke long ago does not count'
  )
  t.same(
    queue.interruptedBy({from: now + 1, to: now + 2}).map(({pendingCall: {path}}) => path),
    ['/in-flight'],
    'one to the process before does not count'
  )
  for (let number = 0; number < 3000; number++) enter(`/${number}`).leave(true)
  t.ok(queue.interruptedBy({from: 0, to: now}).length <= 1001, 'the number of remembered calls is bounded')
})

t.test('interrupted calls come in the order in which they were made, whenever their connections broke', async t => {
  const queue = newQueue()
  queue.open()
  const [first, second] = ['/1', '/2'].map(path => queue.admit(pendingCall(path)))
  if (first === undefined || second === undefined || !isPermit(first) || !isPermit(second)) throw new Error('no permit')
  first.leave(true)
  for (const broke = performance.now(); performance.now() < broke + 5;); // it was in flight for a shorter time than the other one is now
  t.same(
    queue.interruptedBy({from: 0, to: performance.now()}).map(({pendingCall: {path}}) => path),
    ['/1', '/2']
  )
})

t.test('a paused queue admits no calls although it is open, and admits them in order when it is resumed', async t => {
  const queue = newQueue()
  queue.open()
  queue.pause('reloading')
  const order: number[] = []
  const queued = [1, 2].map(n => {
    const admission = queue.admit(pendingCall())
    if (!isQueued(admission)) throw new Error('not held')
    return admission.outcome.then(() => order.push(n))
  })
  queue.hold('starting')
  queue.open()
  t.equal(queue.waiting, 2, 'opening does not resume it')
  queue.unpause('reloading')
  await Promise.all(queued)
  t.same(order, [1, 2])
})

t.test('a pause does not hide why a queue is shut, and resuming does not open it', async t => {
  const queue = newQueue()
  queue.pause('reloading')
  queue.shut('it exited with code 3')
  t.equal(queue.admit(pendingCall()), 'it exited with code 3')
  queue.hold('starting')
  queue.unpause('reloading')
  const admission = queue.admit(pendingCall())
  t.ok(isQueued(admission))
  queue.shut('closed')
})

t.test('a drain waits only for the calls in flight at its start', async t => {
  const queue = newQueue()
  queue.open()
  const old = queue.admit(pendingCall('/old'))
  const drained = queue.drained()
  queue.admit(pendingCall('/new'))
  if (isPermit(old)) old.leave()
  t.equal(await drained, true)
  t.equal(await queue.drained(AbortSignal.abort()), false)
})

t.test('queued and lost calls are counted', async t => {
  const queue = newQueue(2)
  queue.hold('starting')
  const stats = queue.startStats()
  queue.admit(pendingCall())
  const leaving = queue.admit(pendingCall())
  queue.admit(pendingCall('/too-many'))
  if (isQueued(leaving)) leaving.cancel()
  queue.admit(pendingCall())
  queue.shut('closed')
  t.match(stats, {held: 3, lost: 3})
  t.ok(stats.longestMs >= 0)
})

t.test('the error of a call that timed out contains the extra text', async t => {
  const queue = new AdmissionQueue({timeoutMs: 1, explain: ({caller}) => `; ask ${caller}`})
  queue.hold('starting')
  const queued = queue.admit(pendingCall())
  t.equal(isQueued(queued) && (await queued.outcome), 'waited 0 s; starting; ask shop')
})

t.test('streams that may never end are ended as soon as they alone are waited for', async t => {
  const g = newQueue()
  g.open()
  const ended: string[] = []
  const enter = (path: string, isStream: boolean): {leave: () => void; becomeStream: () => void} => {
    const stream = {
      isStream,
      changed: undefined as (() => void) | undefined,
      endStream: () => {
        ended.push(path)
        leave()
      }
    }
    const permit = g.admit({...pendingCall(path), stream})
    if (!isPermit(permit)) throw new Error('no pass')
    const leave = (): void => permit.leave()
    const becomeStream = (): void => {
      stream.isStream = true
      stream.changed?.()
    }
    return {leave, becomeStream}
  }
  enter('/stream', true)
  const unary = enter('/unary', false)
  const late = enter('/late', false)
  const drained = g.drained()
  t.strictSame(ended, [])
  unary.leave()
  t.strictSame(ended, [])
  late.becomeStream()
  t.equal(await drained, true)
  t.strictSame(ended, ['/stream', '/late'])
  enter('/alone', true)
  t.equal(await g.drained(), true)
  t.strictSame(ended, ['/stream', '/late', '/alone'])
})

t.test('a call whose end has come, and is read late by a busy process, is not ended as a stream', async t => {
  const queue = newQueue()
  queue.open()
  const ended: string[] = []
  const stream = {isStream: true, changed: undefined, endStream: () => void ended.push('/unary')}
  const permit = queue.admit({...pendingCall('/unary'), stream})
  if (!isPermit(permit)) throw new Error('no pass')
  const app = net.createServer(socket => socket.on('data', () => permit.leave())).listen(0, '127.0.0.1')
  await once(app, 'listening')
  const socket = net.connect((app.address() as AddressInfo).port, '127.0.0.1')
  await Promise.all([once(app, 'connection'), once(socket, 'connect')])
  const drained = queue.drained()
  setImmediate(() => {
    socket.write('the last frame')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
  })
  t.equal(await drained, true)
  t.strictSame(ended, [])
  socket.destroy()
  app.close()
})

t.test('calls that wait already wait as long as the latest limit says, or as long as their callers do', async t => {
  const queue = new AdmissionQueue({timeoutMs: 1})
  queue.hold('starting')
  queue.timeoutMs = Infinity
  const [patient, left] = [queue.admit(pendingCall('/patient')), queue.admit(pendingCall('/left'))]
  const short = new AdmissionQueue({timeoutMs: 1})
  short.hold('starting')
  const late = short.admit(pendingCall('/late'))
  if (!isQueued(patient) || !isQueued(left) || !isQueued(late)) throw new Error('not held')
  t.match(await late.outcome, /^waited 0 s; starting$/, 'a limit of the same length is over')
  t.equal(queue.waiting, 2)
  left.cancel()
  queue.timeoutMs = 1
  t.match(await patient.outcome, /^waited 0 s; starting$/)
})

t.test('a new limit counts the time that a call has waited already', async t => {
  const queue = new AdmissionQueue({timeoutMs: 3_600_000})
  queue.hold('starting')
  const admitted = queue.admit(pendingCall())
  const tick = async (timeoutMs: number): Promise<unknown> => {
    const clock = new AdmissionQueue({timeoutMs})
    clock.hold('a clock')
    const ticking = clock.admit(pendingCall())
    return isQueued(ticking) && ticking.outcome
  }
  if (!isQueued(admitted)) throw new Error('not held')
  await tick(100)
  queue.timeoutMs = 100
  // both begin now: the shorter one is first, however late the two are looked at
  const half = tick(50)
  t.match(await Promise.race([admitted.outcome, half]), /starting/, 'not 100 ms more')
  t.match(await admitted.outcome, /^waited 0 s; starting$/)
  await half
})

t.test('what the sidecar itself asks its app is queued like a call, and not counted as one', async t => {
  const queue = newQueue()
  queue.hold('starting')
  const stats = queue.startStats()
  const own = queue.admit({...pendingCall('/dapr/config'), isOwn: true})
  const call = queue.admit(pendingCall())
  if (!isQueued(own) || !isQueued(call)) throw new Error('not held')
  queue.open()
  t.ok(isPermit(await own.outcome))
  t.ok(isPermit(await call.outcome))
  t.match(stats, {held: 1, lost: 0})
})

t.test('two who wait for the end of the same stream both learn that it is one', async t => {
  const queue = newQueue()
  queue.open()
  const stream = {isStream: false, changed: undefined as (() => void) | undefined, endStream: () => permit.leave()}
  const entered = queue.admit({...pendingCall(), stream})
  if (!isPermit(entered)) throw new Error('no permit')
  const permit = entered
  const first = queue.drained()
  const given = new AbortController()
  const second = queue.drained(given.signal)
  given.abort()
  t.equal(await second, false)
  stream.isStream = true
  stream.changed?.()
  t.equal(await first, true)
})

t.test('while an app is between two openings its calls wait, and requests of its sidecar are refused', async t => {
  const queue = new AdmissionQueue({timeoutMs: 1})
  queue.open()
  queue.suspend('an edit opens it')
  queue.shut('its process has ended')
  queue.open()
  const own = {...pendingCall('/own'), isOwn: true}
  t.equal(queue.admit(own), 'an edit opens it')
  const call = queue.admit(pendingCall('/call'))
  if (!isQueued(call)) throw new Error('not held')
  const short = new AdmissionQueue({timeoutMs: 1})
  short.hold('starting')
  const late = short.admit(pendingCall('/late'))
  if (isQueued(late)) await late.outcome
  t.equal(queue.waiting, 1, 'a limit counts from the next opening')
  queue.reopen()
  queue.hold('it starts')
  queue.timeoutMs = 60_000
  const next = queue.admit(own)
  if (!isQueued(next)) throw new Error('not held')
  queue.open()
  t.match(await Promise.all([call.outcome, next.outcome]), [{leave: Function}, {leave: Function}])
  queue.suspend('an edit opens it')
  t.notOk(queue.isClosed)
  queue.close('it has left')
  t.ok(queue.isClosed)
  t.equal(queue.admit(pendingCall('/last')), 'it has left')
})
