import t from 'tap'
import {Slots} from '../../../../src/host/calls/slots.ts'
import type {Admission, Admitted, Held} from '../../../../src/sidecar/admission.ts'

const pass = (left: () => void = () => undefined): Admission => ({ok: true, leave: left}) as unknown as Admitted
const isHeld = (answer: Admission | Held): answer is Held => 'admitted' in answer
const settled = async (answer: Admission | Held): Promise<Admission> => (isHeld(answer) ? answer.admitted : answer)
const leave = (answer: Admission): void => {
  if (answer.ok) answer.leave()
}

t.test('so many at once, the others in the order of their coming', async t => {
  const slots = new Slots(() => 2)
  const first = slots.admit(pass) as Admission
  const second = slots.admit(pass) as Admission
  const order: number[] = []
  const waiting = [3, 4, 5].map(async number => {
    const answer = await settled(slots.admit(() => pass()))
    order.push(number)
    return answer
  })
  t.equal(slots.waiting, 3)
  leave(second)
  leave(first)
  t.equal(slots.waiting, 1)
  leave(await (waiting[0] as Promise<Admission>))
  await Promise.all(waiting)
  t.strictSame(order, [3, 4, 5])
})

t.test('no limit asks at once', t => {
  const slots = new Slots(() => 0)
  for (let count = 0; count < 100; count++) t.equal(isHeld(slots.admit(pass)), false)
  t.end()
})

t.test('who leaves the queue gives his place in it up', async t => {
  const slots = new Slots(() => 1)
  const first = slots.admit(pass) as Admission
  const second = slots.admit(() => t.fail('it had left') as never) as Held
  const third = slots.admit(pass) as Held
  second.cancel()
  t.match(await second.admitted, {ok: false, error: 'the caller left'})
  leave(first)
  t.match(await third.admitted, {ok: true})
})

t.test(
  'a place is taken while a call waits at the gate, and free again when it is refused there, or leaves',
  async t => {
    const slots = new Slots(() => 1)
    const gate = Promise.withResolvers<Admission>()
    let cancelled = 0
    const atGate = (): Held => ({admitted: gate.promise, cancel: () => cancelled++})
    const first = slots.admit(atGate) as Held
    const second = slots.admit(atGate) as Held
    const third = slots.admit(pass) as Held
    gate.resolve({ok: false, status: 500, error: 'shut'})
    t.match(await first.admitted, {ok: false, error: 'shut'})
    second.cancel()
    t.match(await second.admitted, {ok: false})
    t.match(await third.admitted, {ok: true})
    t.equal(cancelled, 1, 'the gate heard of it')
  }
)

t.test('a limit that is lifted lets all in', async t => {
  let most = 1
  const slots = new Slots(() => most)
  const first = slots.admit(pass) as Admission
  const others = [slots.admit(pass), slots.admit(pass)] as Held[]
  most = 0
  leave(first)
  for (const {admitted} of others) t.match(await admitted, {ok: true})
})

t.test('the queue has an end', t => {
  const slots = new Slots(() => 1)
  slots.admit(pass)
  for (let count = 0; count < 10_000; count++) slots.admit(pass)
  t.match(slots.admit(pass), {ok: false, error: /too many calls wait/})
  t.end()
})
