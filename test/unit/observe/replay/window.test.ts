import t from 'tap'
import {sendInOrder} from '../../../../src/observe/replay/window.ts'
import type {RecordedCall} from '../../../../src/observe/telemetry/recorder/call-recorder.ts'

const callOf = (number: number, edge: number, startedAt = 0): RecordedCall =>
  ({number, edge, startedAt}) as Partial<RecordedCall> as RecordedCall

/** Calls under way, each to be taken and answered by the test. */
class Sidecar {
  readonly sent: number[] = []
  readonly #open = new Map<number, {readonly taken: () => void; readonly answer: () => void}>()

  readonly send = async ({number}: RecordedCall, taken: () => void): Promise<void> => {
    this.sent.push(number)
    await new Promise<void>(answer => this.#open.set(number, {taken, answer}))
  }

  async take(number: number): Promise<void> {
    this.#open.get(number)?.taken()
    await new Promise(setImmediate)
  }

  async answer(number: number): Promise<void> {
    this.#open.get(number)?.answer()
    await new Promise(setImmediate)
  }
}

const turn = async (): Promise<void> => new Promise(resolve => setImmediate(resolve))

t.test('as fast as answered: one call of an edge after the other, edges next to each other', async t => {
  const sidecar = new Sidecar()
  const {signal} = new AbortController()
  const calls = [callOf(1, 0), callOf(2, 1), callOf(3, 0)]
  const done = sendInOrder(calls, 'answered', sidecar.send, signal)
  await turn()
  t.same(sidecar.sent, [1, 2])
  await sidecar.take(1)
  t.same(sidecar.sent, [1, 2])
  await sidecar.answer(1)
  t.same(sidecar.sent, [1, 2, 3])
  await sidecar.answer(2)
  await sidecar.answer(3)
  await done
})

t.test('at their pace: a call is sent when the one before it was taken, so that their order stays', async t => {
  const sidecar = new Sidecar()
  const {signal} = new AbortController()
  const done = sendInOrder([callOf(1, 0), callOf(2, 0)], 'recorded', sidecar.send, signal)
  await turn()
  t.same(sidecar.sent, [1])
  await sidecar.take(1)
  t.same(sidecar.sent, [1, 2])
  await sidecar.answer(2)
  await sidecar.answer(1)
  await done
})

t.test('at most 32 are under way; who gives up sends no more', async t => {
  const sidecar = new Sidecar()
  const gone = new AbortController()
  const calls = Array.from({length: 40}, (_, at) => callOf(at + 1, at))
  const done = sendInOrder(calls, 'answered', sidecar.send, gone.signal)
  await turn()
  t.equal(sidecar.sent.length, 32)
  await sidecar.answer(5)
  t.equal(sidecar.sent.at(-1), 33)
  gone.abort()
  for (const number of sidecar.sent) await sidecar.answer(number)
  await done
  t.equal(sidecar.sent.length, 33)
})
