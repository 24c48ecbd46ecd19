import t from 'tap'
import {crashReport, nextStartText, type InterruptedCalls} from '../../../../src/supervisor/crash-reporter.ts'

const call = (path: string, forMs: number, count = 1): InterruptedCalls => ({
  pendingCall: {caller: 'checkout', method: 'POST', path},
  forMs,
  count
})
const QUIET = {
  id: 'payments',
  exit: {kind: 'code', code: 1},
  livedMs: 12_449,
  interrupted: [],
  work: [],
  line: '',
  death: 0,
  next: ''
} as const

t.test('an exit tells its code and its age', async t => {
  t.equal(crashReport(QUIET), '"payments" exited with code 1 after 12.4 s')
  const killed = {...QUIET, exit: {kind: 'signal', signal: 'SIGKILL'}} as const
  for (const [livedMs, words] of [
    [0.4, '0 ms'],
    [999, '999 ms'],
    [1000, '1.0 s'],
    [59_999, '59.9 s'],
    [185_300, '3 min 5 s'],
    [119_800, '2 min 0 s']
  ] as const)
    t.equal(crashReport({...killed, livedMs}), `"payments" was ended by SIGKILL after ${words}`)
})

t.test('what its sidecar asks of each app comes from no app', async t => {
  for (const [path, from] of [
    ['/dapr/subscribe', 'its sidecar'],
    ['/orders', 'payments']
  ] as const) {
    const pendingCall = {caller: QUIET.id, method: 'GET', path}
    const text = crashReport({...QUIET, interrupted: [{pendingCall, forMs: 27, count: 1}]})
    t.match(text, ` while handling GET ${path} from ${from} (27 ms)`)
  }
})

t.test('one call stands in the first line, several below it, five at most', async t => {
  t.equal(
    crashReport({...QUIET, interrupted: [call('/charge', 18)]}),
    '"payments" exited with code 1 after 12.4 s while handling POST /charge from checkout (18 ms)'
  )
  const many = Array.from({length: 7}, (_, index) => call(`/${index}`, 1800))
  t.same(crashReport({...QUIET, interrupted: many}).split('\n'), [
    '"payments" exited with code 1 after 12.4 s while handling 7 calls',
    ...[0, 1, 2, 3, 4].map(number => `    POST /${number} from checkout (1.8 s)`),
    '    and 2 more'
  ])
})

t.test('equal calls are one line', async t => {
  t.same(crashReport({...QUIET, interrupted: [call('/exit', 20), call('/hang', 1800, 300)]}).split('\n'), [
    '"payments" exited with code 1 after 12.4 s while handling 301 calls',
    '    POST /exit from checkout (20 ms)',
    '    POST /hang from checkout (1.8 s) ×300'
  ])
})

t.test('what follows stands in the first line, the line that says most below it', async t => {
  t.equal(
    crashReport({...QUIET, line: 'Error: no cards', next: nextStartText(340)}),
    '"payments" exited with code 1 after 12.4 s, restarting in 400 ms\n    Error: no cards'
  )
  t.equal(
    crashReport({...QUIET, next: nextStartText(Infinity)}),
    '"payments" exited with code 1 after 12.4 s, waits for a save'
  )
})

t.test('what could not be started has no age', async t => {
  const exit = {kind: 'spawn-error', message: 'no such folder: /x'} as const
  t.equal(crashReport({...QUIET, exit, livedMs: 0}), '"payments" could not be started: no such folder: /x')
})

t.test('what a worker of workflows had in hand is told as calls are', async t => {
  const [charge, refund] = ['activity "charge" of workflow o-1', 'activity "refund" of workflow o-2']
  t.equal(
    crashReport({...QUIET, work: [charge], death: 2}),
    `"payments" exited with code 1 after 12.4 s while handling ${charge}\n    pillion why 2 shows what was sent`
  )
  t.same(crashReport({...QUIET, work: [charge, refund], interrupted: [call('/charge', 18)]}).split('\n'), [
    '"payments" exited with code 1 after 12.4 s while handling POST /charge from checkout (18 ms) and 2 tasks of workflows',
    `    ${charge}`,
    `    ${refund}`
  ])
})
