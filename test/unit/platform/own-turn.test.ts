import {setImmediate as turn} from 'node:timers/promises'
import t from 'tap'
import {bodyTurn, readInOwnTurn} from '../../../src/platform/own-turn.ts'

t.test('connections are read in turns of their own, in order; where nothing is to be read, none passes', async t => {
  const done: number[] = []
  for (const n of [1, 2, 3, 4])
    readInOwnTurn(() => {
      if (n === 2) return false
      done.push(n)
      return true
    })
  t.same(done, [])
  for (const expected of [[1], [1, 3], [1, 3, 4]]) {
    await turn()
    t.same(done, expected)
  }
})

t.test('large bodies that are complete together are used one by one, with turns of others between them', async t => {
  const done: string[] = []
  const bodies = ['a', 'b', 'c'].map(async name => bodyTurn().then(() => done.push(name)))
  await bodies[0]
  while (!done.includes('c')) {
    await turn()
    done.push('turn')
  }
  await Promise.all(bodies)
  t.match(done.join(' '), /^a turn( turn)* b turn( turn)* c /)
})
