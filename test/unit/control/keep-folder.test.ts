import {statSync, utimesSync} from 'node:fs'
import {join} from 'node:path'
import {test} from 'tap'
import {keepFolder} from '../../../src/control/keep-folder.ts'
import {TestClock} from '../../rig/clock.ts'

const DAY_MS = 24 * 60 * 60 * 1000

test('what cleans /tmp finds nothing old in the folder of a run', t => {
  const folder = t.testdir({about: '', socket: ''})
  const paths = [folder, join(folder, 'about'), join(folder, 'socket')]
  const clock = new TestClock()
  const letGo = keepFolder(folder, clock)
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
  t.end()
})

test('a folder that is gone is left alone', t => {
  const clock = new TestClock()
  const letGo = keepFolder(join(t.testdir(), 'gone'), clock)
  clock.pass(DAY_MS)
  letGo()
  t.pass()
  t.end()
})
