/** What an app's daprd tries again. */
import {rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {reading} from '../integration/dapr/sidecar/app-daprd.ts'
import {pause} from '../../src/platform/delay.ts'

t.test('a topic that an app reads from now on is read though daprd cannot be replaced at first', async t => {
  const {pids, folder, add, topicsOf} = await reading(t)
  add('first')
  while ((await topicsOf(-1)).length === 0) await pause(5)
  writeFileSync(join(folder, 'down'), '')
  const before = pids.length
  add('second')
  while (pids.length === before) await pause(5)
  while (isThere(pids.at(-1))) await pause(5)
  rmSync(join(folder, 'down'))
  while ((await topicsOf(-1)).length < 2) await pause(5)
  t.strictSame(await topicsOf(-1), ['first', 'second'])
})

t.test('topics are read again by a daprd that could not start again, once it can', async t => {
  const {pids, folder, warned, add, topicsOf} = await reading(t)
  add('first')
  while ((await topicsOf(-1)).length === 0) await pause(5)
  writeFileSync(join(folder, 'down'), '')
  process.kill(pids.at(-1) ?? 0, 'SIGKILL')
  while (!warned.some(text => text.includes('cannot start again'))) await pause(5)
  // one that has begun before may live, as it looks for this file later
  rmSync(join(folder, 'down'))
  t.strictSame(await topicsOf(-1), ['first'])
})

function isThere(pid = 0): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
