import t from 'tap'
import {ConcurrencyLimiter} from '../../../src/gateway/concurrency-limiter.ts'
import type {Admission, Admitted, Held} from '../../../src/gateway/admission.ts'

const permit = (left: () => void = () => undefined): Admission => ({ok: true, leave: left}) as unknown as Admitted
const isHeld = (answer: Admission | Held): answer is Held => 'admitted' in answer
const settled = async (answer: Admission | Held): Promise<Admission> => (isHeld(answer) ? answer.admitted : answer)
const leave = (answer: Admission): void => {
  if (answer.ok) answer.leave()
}

t.test('so many at once, the others in the order of their coming', async t => {
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

t.test('no limit asks at once', t => {
  const limiter = new ConcurrencyLimiter(() => 0)
  for (let count = 0; count < 100; count++) t.equal(isHeld(limiter.admit(permit)), false)
  t.end()
})

t.test('who leaves the queue gives his place in it up', async t => {
  const limiter = new ConcurrencyLimiter(() => 1)
  const first = limiter.admit(permit) as Admission
  const second = limiter.admit(() => t.fail('it had left') as never) as Held
  const third = limiter.admit(permit) as Held
  second.cancel()
  t.match(await second.admitted, {ok: false, error: 'the caller left'})
  leave(first)
  t.match(await third.admitted, {ok: true})
})

t.test(
  'a place is taken while a call waits at the gate, and free again when it is refused there, or leaves',
  async t => {
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
    t.equal(cancelled, 1, 'the gate heard of it')
  }
)

t.test('a limit that is lifted lets all in', async t => {
  let most = 1
  const limiter = new ConcurrencyLimiter(() => most)
  const first = limiter.admit(permit) as Admission
  const others = [limiter.admit(permit), limiter.admit(permit)] as Held[]
  most = 0
  leave(first)
  for (const {admitted} of others) t.match(await admitted, {ok: true})
})

t.test('the queue has an end', t => {
  const limiter = new ConcurrencyLimiter(() => 1)
  limiter.admit(permit)
  for (let count = 0; count < 10_000; count++) limiter.admit(permit)
  t.match(limiter.admit(permit), {ok: false, error: /too many calls wait/})
  t.end()
})
