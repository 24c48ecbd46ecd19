import t from 'tap'
import type {InterruptedCall} from '../../../../src/gateway/admission-queue.ts'
import {crashReport} from '../../../../src/supervisor/messages/crash-report.ts'

const call = (path: string, forMs: number): InterruptedCall => ({
  pendingCall: {caller: 'checkout', method: 'POST', path},
  forMs
})
const QUIET = {id: 'payments', exit: {kind: 'code', code: 1}, livedMs: 12_449, interrupted: [], lastLines: []} as const

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

t.test('one call stands in the first line, several below it, five at most', async t => {
  t.equal(
    crashReport({...QUIET, interrupted: [call('/charge', 18)]}),
    '"payments" exited with code 1 after 12.4 s while handling POST /charge from checkout (18 ms)'
  )
  const many = Array.from({length: 7}, (_, index) => call(`/${index.toString()}`, 1800))
  t.same(crashReport({...QUIET, interrupted: many}).split('\n'), [
    '"payments" exited with code 1 after 12.4 s while handling 7 calls',
    ...[0, 1, 2, 3, 4].map(number => `    POST /${number.toString()} from checkout (1.8 s)`),
    '    and 2 more'
  ])
})

t.test('the last five lines on stderr follow, without colours', async t => {
  const lastLines = ['1', '2', '3', '4', '5', '\x1b[31m6\x1b[0m']
  t.same(
    crashReport({...QUIET, lastLines})
      .split('\n')
      .slice(1),
    ['2', '3', '4', '5', '6'].map(word => `    stderr: ${word}`)
  )
})

t.test('what could not be started has no age', async t => {
  const exit = {kind: 'spawn-error', message: 'no such folder: /x'} as const
  t.equal(crashReport({...QUIET, exit, livedMs: 0}), '"payments" could not be started: no such folder: /x')
})
