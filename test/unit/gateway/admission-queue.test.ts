import t from 'tap'
import {AdmissionQueue, type Permit, type Waiting} from '../../../src/gateway/admission-queue.ts'

const pendingCall = (path = '/'): {caller: string; method: string; path: string} => ({
  caller: 'shop',
  method: 'GET',
  path
})
const queue = (capacity = 10): AdmissionQueue => new AdmissionQueue({timeoutMs: 60_000, capacity})
const isPass = (answer: unknown): answer is Permit => typeof answer === 'object' && answer !== null && 'leave' in answer
const isWaiting = (answer: unknown): answer is Waiting =>
  typeof answer === 'object' && answer !== null && 'cancel' in answer

t.test('an open gate lets a call in at once and knows it until it leaves', async t => {
  const g = queue()
  g.open()
  const permit = g.admit(pendingCall('/a'))
  if (!isPass(permit)) throw new Error('no pass')
  t.same(
    [...g.inside.keys()].map(({path}) => path),
    ['/a']
  )
  permit.leave()
  t.equal(g.inside.size, 0)
})

t.test('what waits is let in in the order of its coming', async t => {
  const g = queue()
  g.hold('starting')
  const order: string[] = []
  const waiting = ['/1', '/2', '/3'].map(path => {
    const answer = g.admit(pendingCall(path))
    if (!isWaiting(answer)) throw new Error('not held')
    return answer.answer.then(() => order.push(path))
  })
  t.equal(g.waiting, 3)
  g.open()
  await Promise.all(waiting)
  t.same(order, ['/1', '/2', '/3'])
  t.equal(g.inside.size, 3)
})

t.test('a shut gate tells why, to those who come and to those who wait', async t => {
  const g = queue()
  g.hold('starting')
  const waiting = g.admit(pendingCall())
  g.shut('it exited with code 3')
  t.equal(g.admit(pendingCall()), 'it exited with code 3')
  t.equal(isWaiting(waiting) && (await waiting.answer), 'it exited with code 3')
})

t.test('a caller who leaves gives his place back', async t => {
  const g = queue(1)
  g.hold('starting')
  const first = g.admit(pendingCall())
  t.match(g.admit(pendingCall()), /^1 calls are waiting already/)
  if (!isWaiting(first)) throw new Error('not held')
  first.cancel()
  t.equal(g.waiting, 0)
  t.ok(isWaiting(g.admit(pendingCall())))
  g.shut('over')
})

t.test('a call that waits too long hears what it waited for', async t => {
  const g = new AdmissionQueue({timeoutMs: 1})
  g.hold('"order" is starting')
  const waiting = g.admit(pendingCall())
  t.equal(isWaiting(waiting) && (await waiting.answer), 'waited 0 s; "order" is starting')
  t.equal(g.waiting, 0)
})

t.test('a gate is drained when the last call has left', async t => {
  const g = queue()
  g.open()
  await g.drained()
  const permit = g.admit(pendingCall())
  let isDrained = false
  const drained = g.drained().then(() => (isDrained = true))
  await Promise.resolve()
  t.equal(isDrained, false)
  if (isPass(permit)) permit.leave()
  await drained
  t.equal(isDrained, true)
})

t.test('a crash caught the calls still inside and those broken off shortly before, and no others', async t => {
  const g = queue()
  g.open()
  const enter = (path: string): Permit => {
    const permit = g.admit(pendingCall(path))
    if (!isPass(permit)) throw new Error('no pass')
    return permit
  }
  enter('/inside')
  enter('/broken').leave(true)
  enter('/answered').leave()
  const now = performance.now()
  t.same(
    g
      .interruptedBy(now)
      .map(({pendingCall: {path}}) => path)
      .toSorted(),
    ['/broken', '/inside']
  )
  t.same(
    g.interruptedBy(now + 10_000).map(({pendingCall: {path}}) => path),
    ['/inside'],
    'a break of long ago is not of this crash'
  )
  for (let number = 0; number < 3000; number++) enter(`/${number.toString()}`).leave(true)
  t.ok(g.interruptedBy(now).length <= 1001, 'what is remembered is bounded')
})

t.test('a barred gate lets nobody in although it is open, and lets in in order when the bar is gone', async t => {
  const g = queue()
  g.open()
  g.pause('reloading')
  const order: number[] = []
  const waiting = [1, 2].map(n => {
    const answer = g.admit(pendingCall())
    if (!isWaiting(answer)) throw new Error('not held')
    return answer.answer.then(() => order.push(n))
  })
  g.hold('starting')
  g.open()
  t.equal(g.waiting, 2, 'opening does not lift the bar')
  g.unpause('reloading')
  await Promise.all(waiting)
  t.same(order, [1, 2])
})

t.test('a bar does not hide why a gate is shut, nor does lifting it open the gate', async t => {
  const g = queue()
  g.pause('reloading')
  g.shut('it exited with code 3')
  t.equal(g.admit(pendingCall()), 'it exited with code 3')
  g.hold('starting')
  g.unpause('reloading')
  const answer = g.admit(pendingCall())
  t.ok(isWaiting(answer))
  g.shut('over')
})

t.test('only the calls that are inside when it is asked have to end for a drain', async t => {
  const g = queue()
  g.open()
  const old = g.admit(pendingCall('/old'))
  const drained = g.drained()
  g.admit(pendingCall('/new'))
  if (isPass(old)) old.leave()
  t.equal(await drained, true)
  t.equal(await g.drained(AbortSignal.abort()), false)
})

t.test('what became of those who waited is counted', async t => {
  const g = queue(2)
  g.hold('starting')
  const stats = g.count()
  g.admit(pendingCall())
  const leaver = g.admit(pendingCall())
  g.admit(pendingCall('/too many'))
  if (isWaiting(leaver)) leaver.cancel()
  g.admit(pendingCall())
  g.shut('over')
  t.match(stats, {held: 3, lost: 3})
  t.ok(stats.longestMs >= 0)
})

t.test('a call that has waited in vain hears what the host has to say besides', async t => {
  const g = new AdmissionQueue({timeoutMs: 1, explain: ({caller}) => `; ask ${caller}`})
  g.hold('starting')
  const waiting = g.admit(pendingCall())
  t.equal(isWaiting(waiting) && (await waiting.answer), 'waited 0 s; starting; ask shop')
})
