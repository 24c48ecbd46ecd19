import {test} from 'tap'
import {StateMachine} from '../../../../src/supervisor/process/state-machine.ts'
import {NEXT, type AppState, type Phase} from '../../../../src/model/app-state.ts'

const examples: Readonly<Record<Phase, AppState>> = {
  idle: {phase: 'idle'},
  starting: {phase: 'starting', pid: 1},
  running: {phase: 'running', pid: 1, ready: true},
  stopping: {phase: 'stopping', pid: 1, why: 'user'},
  backoff: {phase: 'backoff', failures: 1, until: 0, last: {kind: 'code', code: 1}},
  asleep: {phase: 'asleep', last: undefined},
  exited: {phase: 'exited', exit: undefined, asked: true}
}
const phases = Object.keys(examples) as Phase[]

/** The shortest legal way to a phase. */
const wayTo: Readonly<Record<Phase, readonly Phase[]>> = {
  idle: [],
  starting: ['starting'],
  running: ['starting', 'running'],
  stopping: ['starting', 'stopping'],
  backoff: ['starting', 'backoff'],
  asleep: ['asleep'],
  exited: ['exited']
}

test('of all 49 moves exactly the legal ones are made', async t => {
  for (const from of phases) {
    for (const to of phases) {
      const machine = new StateMachine('app', () => undefined)
      for (const phase of wayTo[from]) machine.enter(examples[phase])
      const move = (): AppState => machine.enter(examples[to])
      if (NEXT[from].includes(to)) t.equal(move().phase, to)
      else t.throws(move, {message: `app: ${from} → ${to}`})
    }
  }
})

test('each move is told after it was made', async t => {
  const told: Phase[] = []
  const machine: StateMachine = new StateMachine('app', state => {
    t.equal(machine.state, state)
    told.push(state.phase)
  })
  t.equal(machine.state.phase, 'idle')
  for (const phase of ['starting', 'running', 'stopping', 'exited'] as const) machine.enter(examples[phase])
  t.same(told, ['starting', 'running', 'stopping', 'exited'])
})

test('only a running app that says so is ready', async t => {
  const machine = new StateMachine('app', () => undefined)
  t.notOk(machine.isReady)
  machine.enter(examples.starting)
  t.notOk(machine.isReady)
  machine.enter({phase: 'running', pid: 1, ready: false})
  t.notOk(machine.isReady)
  machine.enter(examples.running)
  t.ok(machine.isReady)
})
