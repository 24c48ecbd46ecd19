import t from 'tap'
import {ConcurrencyLimiter} from '../../../../src/proxy/gateway/concurrency-limiter.ts'
import type {Admission, Admitted, Held} from '../../../../src/proxy/gateway/admission.ts'

const permit = (left: () => void = () => undefined): Admission => ({ok: true, leave: left}) as unknown as Admitted
const isHeld = (admission: Admission | Held): admission is Held => 'admitted' in admission
const settled = async (answer: Admission | Held): Promise<Admission> => (isHeld(answer) ? answer.admitted : answer)
const leave = (answer: Admission): void => {
  if (answer.ok) answer.leave()
}

t.test('calls up to the limit are in flight, the others follow in order of arrival', async t => {
  const limiter = new ConcurrencyLimiter(() => 2)
  const first = limiter.admit(permit) as Admission
  const second = limiter.admit(permit) as Admission
  const order: number[] = []
  const waiting = [3, 4, 5].map(async number => {
    const answer = await settled(limiter.admit(() => permit()))
    order.push(number)
    return answer
  })
  t.equal(limiter.waiting, 3)
  leave(second)
  leave(first)
  t.equal(limiter.waiting, 1)
  leave(await (waiting[0] as Promise<Admission>))
  await Promise.all(waiting)
  t.strictSame(order, [3, 4, 5])
})

t.test('without a limit calls are admitted at once', async t => {
  const limiter = new ConcurrencyLimiter(() => 0)
  for (let count = 0; count < 100; count++) t.equal(isHeld(limiter.admit(permit)), false)
})

t.test('a caller that disconnects frees its place in the queue', async t => {
  const limiter = new ConcurrencyLimiter(() => 1)
  const first = limiter.admit(permit) as Admission
  const second = limiter.admit(() => t.fail('it had left') as never) as Held
  const third = limiter.admit(permit) as Held
  second.cancel()
  t.match(await second.admitted, {ok: false, error: 'the caller disconnected'})
  leave(first)
  t.match(await third.admitted, {ok: true})
})

t.test('a slot is occupied while a call is queued, and free again when it is rejected or has ended', async t => {
  const limiter = new ConcurrencyLimiter(() => 1)
  const queue = Promise.withResolvers<Admission>()
  let cancelled = 0
  const enqueue = (): Held => ({admitted: queue.promise, cancel: () => cancelled++})
  const first = limiter.admit(enqueue) as Held
  const second = limiter.admit(enqueue) as Held
  const third = limiter.admit(permit) as Held
  queue.resolve({ok: false, status: 500, error: 'shut'})
  t.match(await first.admitted, {ok: false, error: 'shut'})
  second.cancel()
  t.match(await second.admitted, {ok: false})
  t.match(await third.admitted, {ok: true})
  t.equal(cancelled, 1, 'the queue was notified')
})

t.test('a removed limit admits all calls', async t => {
  let most = 1
  const limiter = new ConcurrencyLimiter(() => most)
  const first = limiter.admit(permit) as Admission
  const others = [limiter.admit(permit), limiter.admit(permit)] as Held[]
  most = 0
  leave(first)
  for (const {admitted} of others) t.match(await admitted, {ok: true})
})

t.test('the queue is bounded', async t => {
  const limiter = new ConcurrencyLimiter(() => 1)
  limiter.admit(permit)
  for (let count = 0; count < 10_000; count++) limiter.admit(permit)
  t.match(limiter.admit(permit), {ok: false, error: /too many calls are queued/})
})

t.test('thousands that wait are all told when the app has gone', async t => {
  const limiter = new ConcurrencyLimiter(() => 1)
  const denied: Admission = {ok: false, status: 500, error: 'shut'}
  const first = limiter.admit(permit) as Admission
  const waiting = Array.from({length: 4000}, async () => settled(limiter.admit(() => denied)))
  leave(first)
  t.equal(new Set(await Promise.all(waiting)).size, 1)
  t.equal(limiter.isFull, false)
})
