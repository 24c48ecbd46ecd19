import t from 'tap'
import {AWAKE} from '../../../../src/supervisor/sleep.ts'
import {noProgress} from '../../../../src/supervisor/order/progress.ts'
import {StartQueue, type Startable} from '../../../../src/supervisor/order/start-queue.ts'

/** A chain of apps, each of which waits for the one before it; `reads` counts how often the progress of any is read. */
function chainOf(count: number): {
  readonly queue: StartQueue
  readonly reads: () => number
  readonly told: string[]
  readonly last: Startable
} {
  let reads = 0
  const told: string[] = []
  const runtimes = Array.from({length: count}, (_, index) => {
    const id = index.toString()
    const dependsOn = index === 0 ? [] : [{id: (index - 1).toString(), until: 'started'}]
    return {
      id,
      plan: {dependsOn},
      app: {state: {phase: 'idle'}},
      sleep: AWAKE,
      isGivenUp: false,
      waits: () => told.push(id),
      get progress() {
        reads++
        return noProgress(id, true)
      }
    } as unknown as Startable
  })
  const queue = new StartQueue({
    runtimes: () => runtimes,
    lost: () => [],
    start: () => undefined,
    waits: () => undefined,
    giveUp: () => undefined
  })
  queue.add(runtimes.slice(1))
  return {queue, reads: () => reads, told, last: runtimes.at(-1) as Startable}
}

t.test('a look at those who wait reads their dependencies alone, however many apps there are', async t => {
  const {queue, reads, told} = chainOf(200)
  queue.look()
  t.equal(told.length, 199)
  t.equal(reads(), 199)
})

t.test('an app that has left the run while it waited is looked at no more', async t => {
  const {queue, told, last} = chainOf(3)
  queue.look()
  const before = told.length
  queue.remove(last)
  queue.look()
  t.equal(told.length, 2 * before - 1)
})
