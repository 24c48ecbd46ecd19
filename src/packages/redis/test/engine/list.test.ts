/** Lists: they are arrays to who reads them, and queues whose length costs nothing. */
import t from 'tap'
import {List, type Side} from '../../engine/list.ts'

/** Numbers from 0 to 1 that are the same in each run (a linear congruential generator; Numerical Recipes). */
function randomOf(seed: number): () => number {
  let state = seed
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32
}

t.test('a list is what an array would be', async t => {
  for (let seed = 0; seed < 50; seed++) {
    const random = randomOf(seed)
    const array = Array.from({length: Math.floor(random() * 5)}, (_, n) => `first ${n}`)
    const list = new List([...array])
    const [seen, wanted]: [unknown[], unknown[]] = [[], []]
    for (let step = 0; step < 200; step++) {
      const side: Side = random() < 0.5 ? 'left' : 'right'
      const kind = random()
      const index = Math.floor(random() * 12) - 6
      if (kind < 0.4) {
        list.add(side, `${step}`)
        if (side === 'left') array.unshift(`${step}`)
        else array.push(`${step}`)
      } else if (kind < 0.8) {
        seen.push(list.take(side))
        wanted.push(side === 'left' ? array.shift() : array.pop())
      } else if (index >= 0 && index < array.length) {
        list.set(index, `set ${step}`)
        array[index] = `set ${step}`
      }
      const end = Math.min(4, array.length)
      seen.push(list.length, list.at(index), list.slice(1, end), [...list])
      wanted.push(array.length, array.at(index), array.slice(1, end), [...array])
    }
    t.same(JSON.stringify(seen), JSON.stringify(wanted), `seed ${seed}`)
  }
})

/** The seconds of CPU to fill a list at one end and to empty it at the other, or at the same one. */
function cpuOf(count: number, from: Side, to: Side): number {
  const begin = process.cpuUsage()
  const list = new List()
  for (let n = 0; n < count; n++) list.add(from, 'job')
  for (let n = 0; n < count; n++) list.take(to)
  const {user, system} = process.cpuUsage(begin)
  return (user + system) / 1e6
}

t.test('twenty times as many jobs in a queue take no more time for each', async t => {
  for (const [from, to] of [
    ['left', 'left'],
    ['left', 'right'],
    ['right', 'left']
  ] as const) {
    cpuOf(20_000, from, to) // compiles the code
    const [few, many] = [cpuOf(20_000, from, to), cpuOf(400_000, from, to)]
    // with an array it was more than a thousand times as long
    t.ok(many < 100 * few + 0.5, `${from} to ${to}: ${many} s of CPU, ${few} s for a twentieth`)
  }
})
