import {existsSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {CommandRun, type EndSignal} from '../../../../src/clients/cli/ci/command-run.ts'
import type {Run} from '../../../../src/run/run.ts'
import {appOf, runOf} from '../../../rig/listed.ts'
import {controlOf} from '../../../rig/run-control.ts'

const CODES: readonly (readonly [EndSignal, number])[] = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129]
]

for (const [signal, exitCode] of CODES)
  t.test(`${signal} between the readiness of the apps and the command: the command does not start`, async t => {
    const ran = join(t.testdir({}), 'ran')
    const command = `touch ${ran}`
    const listing = {...runOf('a'.repeat(32)), apps: [appOf({availability: 'ready'})]}
    const options = {command, as: 'test', settleMs: 0, timeoutMs: Infinity, isStrict: false, showsLogs: false}
    const run: CommandRun = new CommandRun({
      options: {...options, junit: '', report: ''},
      template: 'dapr.yaml',
      places: new Map(),
      say: () => undefined,
      // the last thing before the command starts
      flush: async () => {
        run.takes(signal)
        run.noticed({type: 'stopping'})
        return Promise.resolve()
      },
      folder: undefined
    })
    await run.go({control: controlOf({list: () => listing}), stop: () => undefined} as unknown as Run)
    t.equal(run.outcome().exitCode, exitCode)
    t.notOk(existsSync(ran))
  })
