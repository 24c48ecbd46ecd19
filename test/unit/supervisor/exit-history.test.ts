import t from 'tap'
import {loopText} from '../../../src/model/exit-text.ts'
import {ExitHistory} from '../../../src/supervisor/exit-history.ts'

const SECOND = 1000

/** Exits of processes that lived so long, in s, a second apart; the end of the last one. */
function exits(history: ExitHistory, lives: readonly number[], from = 1): number {
  let at = from * SECOND
  for (const life of lives) {
    history.add(at, at + life * SECOND)
    at += (life + 1) * SECOND
  }
  return at - SECOND
}

t.test('three exits in a row are a loop, until a process has lived for half a minute', async t => {
  const history = new ExitHistory()
  const second = exits(history, [2, 2])
  t.equal(history.loop(0, second), null)
  const end = exits(history, [2], second / SECOND + 1)
  t.same(history.loop(0, end), {exits: 3, overMs: 8000, shortestMs: 2000, longestMs: 2000})
  t.not(history.loop(end, end + 29_000), null, 'it runs again, and may be well')
  t.equal(history.loop(end, end + 31_000), null)
})

t.test('what lives longer for once has ended the loop; what a person starts begins at none', async t => {
  const history = new ExitHistory()
  const end = exits(history, [2, 2, 2, 2])
  exits(history, [40], end / SECOND)
  t.equal(history.loop(0, end + 50_000), null)
  const again = exits(history, [1, 1], end / SECOND + 60)
  t.equal(history.loop(0, again)?.exits, 3)
  history.clear()
  t.equal(history.loop(0, again), null)
})

t.test('slow exits are a loop as well, and only those of ten minutes count', async t => {
  const history = new ExitHistory()
  const end = exits(
    history,
    Array.from({length: 30}, () => 45)
  )
  const loop = history.loop(0, end)
  t.equal(loop?.exits, 14)
  t.not(history.loop(end, end + 60_000), null, 'it has lived as long before, and exited')
  t.equal(history.loop(end, end + 70_000), null)
})

t.test('a loop is one sentence', async t => {
  const loop = {exits: 27, overMs: 600_000, shortestMs: 1800, longestMs: 2300}
  t.equal(loopText(loop), 'keeps exiting: 27 times in 10 min, each within 2.3 s')
  t.equal(
    loopText({exits: 3, overMs: 61_000, shortestMs: 80, longestMs: 52_000}),
    'keeps exiting: 3 times in 61 s, after 80 ms to 52 s'
  )
})
