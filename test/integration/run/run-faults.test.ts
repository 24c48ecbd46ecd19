import {spawnSync} from 'node:child_process'
import t from 'tap'
import {faultSwitch} from '../../../src/run/run-faults.ts'
import type {AppRuntime} from '../../../src/supervisor/app-runtime.ts'

t.test('a callee that has just ended by itself cannot be killed, which is no error', async t => {
  const {pid} = spawnSync('true')
  // its state names the process until its last lines are read
  const {kill} = faultSwitch(
    () => [{pid} as AppRuntime],
    () => undefined
  )
  t.doesNotThrow(() => kill(pid))
})
