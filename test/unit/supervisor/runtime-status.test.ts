import t from 'tap'
import {loopText} from '../../../src/model/exit-text.ts'
import {RuntimeStatus} from '../../../src/supervisor/runtime-status.ts'
import {planOf} from '../../rig/plan.ts'

t.test('a clock that is set back changes neither how often an app exits nor how long its processes live', async t => {
  const status = new RuntimeStatus(planOf({}))
  const {now} = Date
  t.teardown(() => (Date.now = now))
  for (let hour = 0; hour < 3; hour++) {
    Date.now = () => now() - hour * 3_600_000
    status.moved({phase: 'starting', pid: 1})
    Date.now = () => now() - (hour + 0.5) * 3_600_000
    status.moved({phase: 'backoff', failures: 1, until: 0, last: {kind: 'code', code: 1}})
  }
  const {loop} = status
  if (loop === null) throw new Error('it exits again and again')
  t.match(loopText(loop), /^keeps exiting: 3 times in \d+ ms, each within \d+ ms$/)
})

t.test('what is started has the time of its start, until it ends', async t => {
  const status = new RuntimeStatus(planOf({}))
  t.equal(status.startedAt, 0)
  const before = Date.now()
  status.moved({phase: 'starting', pid: 1})
  t.ok(Math.abs(status.startedAt - before) < 1000)
  status.moved({phase: 'exited', exit: undefined, asked: true})
  t.equal(status.startedAt, 0)
})

t.test('what is started after the machine has slept, and before any call, has the time of its start', async t => {
  const {now} = Date
  t.teardown(() => (Date.now = now))
  const status = new RuntimeStatus(planOf({}))
  for (const [hour, start] of [() => status.moved({phase: 'starting', pid: 1}), () => status.promoted()].entries()) {
    Date.now = () => now() + (hour + 1) * 3_600_000
    start()
    t.ok(Math.abs(status.startedAt - Date.now()) < 1000)
  }
})
