import t from 'tap'
import type {AppState, Exit} from '../../../src/model/app-state.ts'
import type {Availability} from '../../../src/model/availability.ts'
import {availabilityOf} from '../../../src/supervisor/availability-of.ts'

const OK: Exit = {kind: 'code', code: 0}
const FAILED: Exit = {kind: 'code', code: 3}
const up: AppState = {phase: 'running', pid: 1, ready: true}
const backoff = (last: Exit, until: number): AppState => ({phase: 'backoff', failures: 1, until, last})
const exited = (exit: Exit | undefined, asked = false): AppState => ({phase: 'exited', exit, asked})

t.test('one meaning of ready', async t => {
  const plain = {
    queue: {isOpen: true},
    isUnhealthy: false,
    isDebugged: false,
    isExcepted: false,
    appPort: 3000,
    isGivenUp: false,
    isBetweenOpenings: false
  }
  const excepted = {isDebugged: true, isExcepted: true}
  const judge = (state: AppState, more: Partial<typeof plain> = {}): Availability =>
    availabilityOf({app: {state}, ...plain, ...more})
  t.equal(judge(up), 'ready')
  t.equal(judge(up, {isDebugged: true}), 'ready', 'it listens in the debugger')
  t.equal(judge(up, {queue: {isOpen: false}}), 'waiting', 'it is about to be reloaded')
  t.equal(judge(up, {isUnhealthy: true}), 'waiting')
  for (const state of [
    {phase: 'idle'},
    {phase: 'starting', pid: 1},
    {...up, ready: false},
    backoff(FAILED, 5)
  ] as const)
    t.equal(judge(state), 'waiting', state.phase)
  t.equal(judge({phase: 'starting', pid: undefined}, {isDebugged: true}), 'debugged')
  t.equal(judge({phase: 'starting', pid: undefined}, excepted), 'stopped', 'nobody waits for what --except leaves out')
  t.equal(judge(up, excepted), 'ready', 'the user has started it')
  t.equal(judge(up, {...excepted, appPort: 0}), 'stopped', 'nobody knows whether the user has')
  t.equal(judge(exited(OK)), 'finished')
  t.equal(judge(exited(OK), {isBetweenOpenings: true}), 'waiting', 'an edit opens it next')
  t.equal(judge(backoff(OK, Infinity)), 'finished', 'a save may start it again')
  t.equal(judge(exited(FAILED)), 'never')
  t.equal(judge(exited(OK, true)), 'never', 'it was stopped, and has not finished')
  t.equal(judge(backoff(FAILED, Infinity)), 'never')
  t.equal(judge({phase: 'idle'}, {isGivenUp: true}), 'never')
})
