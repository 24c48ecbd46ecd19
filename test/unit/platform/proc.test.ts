import {test} from 'tap'
import {parseStat} from '../../../src/platform/proc.ts'

const stat = (name: string, state: string): string =>
  `4711 (${name}) ${state} 4000 4242 4141 34816 4711 4194304 1 2 3 4 5 6 7 8 20 0 11 0 987654 1000000 500 18446744073709551615 1`

test('a row of /proc/pid/stat is parsed', async t => {
  t.same(parseStat(4711, stat('node', 'S')), {
    pid: 4711,
    parent: 4000,
    group: 4242,
    session: 4141,
    started: 987_654,
    isZombie: false
  })
})

test('a name may contain spaces and parentheses', async t => {
  for (const name of ['a b', 'a) S 1 2 3', '((', '', ') ('])
    t.match(parseStat(4711, stat(name, 'R')), {parent: 4000, started: 987_654})
})

test('dead processes are recognised by their state', async t => {
  for (const state of ['Z', 'X']) t.ok(parseStat(1, stat('node', state)).isZombie)
  for (const state of ['R', 'S', 'D', 'T', 't', 'I']) t.notOk(parseStat(1, stat('node', state)).isZombie)
})
