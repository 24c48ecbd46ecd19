import t from 'tap'
import {seeded} from '../../../../../test/rig/seeded.ts'
import {SortedSet} from '../../engine/sorted-set.ts'

t.test('the order is right after each change, however many there are between two looks', t => {
  const random = seeded(1)
  const scores = [0, -0, 1, 1, 2.5, -3, Infinity, -Infinity]
  const set = new SortedSet()
  const rest = new Map<string, number>()
  for (let step = 0; step < 300; step++) {
    for (let changes = random(10) === 0 ? random(200) : 1; changes > 0; changes--) {
      const member = `m${random(60)}`
      if (random(3) === 0) {
        if (set.delete(member) !== rest.delete(member)) t.fail(`step ${step}: ${member}`)
      } else {
        const score = scores[random(scores.length)] ?? 0
        set.set(member, score)
        rest.set(member, score)
      }
    }
    const wanted = [...rest]
      .toSorted(([a, x], [b, y]) => (x === y ? (a < b ? -1 : 1) : x - y))
      .map(([member]) => member)
    const is = set.ordered.map(({member}) => member)
    if (wanted.join() !== is.join()) t.fail(`step ${step}: ${is.join()}, not ${wanted.join()}`)
  }
  t.end()
})

t.test('a queue that takes one member after the other does not go through all of them each time', t => {
  let reads = 0
  const scores = new (class extends Map<string, number> {
    override [Symbol.iterator](): ReturnType<Map<string, number>['entries']> {
      reads++
      return super[Symbol.iterator]()
    }
  })()
  const set = new SortedSet(scores)
  for (let at = 0; at < 500; at++) set.set(`job${at}`, (at * 7919) % 500)
  for (let at = 0; at < 500; at++) {
    const first = set.ordered[0]
    if (first?.score !== at || !set.delete(first.member)) t.fail(`${at}: ${first?.member}`)
  }
  t.equal(reads, 1)
  t.end()
})
