import {statSync, utimesSync} from 'node:fs'
import {join} from 'node:path'
import {test} from 'tap'
import {keepFolder} from '../../../src/control/server.ts'
import {SetClock, TestClock} from '../../rig/clock.ts'

const MINUTE_MS = 60 * 1000
const DAY_MS = 24 * 60 * MINUTE_MS

test('what cleans /tmp finds nothing old in the folder of a run', async t => {
  const folder = t.testdir({about: '', socket: ''})
  const paths = [folder, join(folder, 'about'), join(folder, 'socket')]
  const clock = new TestClock()
  const letGo = keepFolder(folder, clock, () => t.fail('the socket is there'))
  const age = (): void => {
    for (const path of paths) utimesSync(path, 0, 0)
  }
  for (let day = 0; day < 3; day++) {
    age()
    clock.pass(DAY_MS)
    for (const path of paths) t.ok(Date.now() - statSync(path).mtimeMs < DAY_MS, path)
  }
  letGo()
  age()
  clock.pass(DAY_MS)
  t.equal(statSync(folder).mtimeMs, 0, 'no longer')
})

test('after a sleep of the machine, in which no timer fires, it is touched soon', async t => {
  const folder = t.testdir({socket: ''})
  const clock = new SetClock()
  const letGo = keepFolder(folder, clock, () => t.fail('the socket is there'))
  utimesSync(folder, 0, 0)
  clock.pass(MINUTE_MS)
  t.equal(statSync(folder).mtimeMs, 0)
  clock.set(3 * DAY_MS)
  clock.pass(MINUTE_MS)
  t.ok(Date.now() - statSync(folder).mtimeMs < DAY_MS)
  letGo()
})

test('that the folder is gone is told', async t => {
  let lost = 0
  const clock = new TestClock()
  const letGo = keepFolder(join(t.testdir(), 'gone'), clock, () => lost++)
  clock.pass(MINUTE_MS)
  t.equal(lost, 1)
  letGo()
  clock.pass(DAY_MS)
  t.equal(lost, 1, 'no longer')
})
