import t from 'tap'
import {SingleFlight} from '../../../src/model/single-flight.ts'

const fail = async (): Promise<string> => Promise.reject(new Error('no'))

t.test('who asks while work is under way shares it; each key has its own', async t => {
  const flights = new SingleFlight<string, number>()
  const first = Promise.withResolvers<number>()
  const shared = [flights.do('a', async () => first.promise), flights.do('a', async () => Promise.resolve(2))]
  t.equal(await flights.do('b', async () => Promise.resolve(3)), 3)
  const settled = flights.settled()
  first.resolve(1)
  t.strictSame(await Promise.all(shared), [1, 1])
  await settled
})

t.test('whenever somebody asks, never is more than one under way: who waits for one does not end the next', async t => {
  const flights = new SingleFlight<string, void>()
  let running = 0
  let most = 0
  let begun = 0
  const work = async (): Promise<void> => {
    begun++
    most = Math.max(most, ++running)
    for (let n = 0; n < 5; n++) await Promise.resolve()
    running--
  }
  // each asks at every turn of the queue of microtasks
  const ask = async (): Promise<void> => {
    const all: Promise<void>[] = []
    for (let n = 0; n < 100; n++) {
      all.push(flights.do('key', work))
      await Promise.resolve()
    }
    await Promise.all(all)
  }
  await Promise.all([ask(), ask()])
  t.ok(begun > 5 && begun < 100, `${begun} for 200`)
  t.equal(most, 1)
})

t.test('work that fails fails for all who wait, and is begun again by the next one', async t => {
  const flights = new SingleFlight<string, string>()
  const both = await Promise.allSettled([flights.do('key', fail), flights.do('key', fail)])
  t.strictSame(
    both.map(({status}) => status),
    ['rejected', 'rejected']
  )
  t.equal(await flights.do('key', async () => Promise.resolve('yes')), 'yes')
})
