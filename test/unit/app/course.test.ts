import {test} from 'tap'
import {Course} from '../../../src/app/course.ts'
import {NEXT, type AppState, type Phase} from '../../../src/state.ts'

const examples: Readonly<Record<Phase, AppState>> = {
  idle: {phase: 'idle'},
  starting: {phase: 'starting', pid: 1},
  running: {phase: 'running', pid: 1, ready: true},
  stopping: {phase: 'stopping', pid: 1, why: 'user'},
  backoff: {phase: 'backoff', failures: 1, until: 0, last: {kind: 'code', code: 1}},
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
  exited: ['exited']
}

test('of all 36 moves exactly the legal ones are made', async t => {
  for (const from of phases) {
    for (const to of phases) {
      const course = new Course('app', () => undefined)
      for (const phase of wayTo[from]) course.enter(examples[phase])
      const move = (): AppState => course.enter(examples[to])
      if (NEXT[from].includes(to)) t.equal(move().phase, to)
      else t.throws(move, {message: `app: ${from} → ${to}`})
    }
  }
})

test('each move is told after it was made', async t => {
  const told: Phase[] = []
  const course: Course = new Course('app', state => {
    t.equal(course.state, state)
    told.push(state.phase)
  })
  t.equal(course.state.phase, 'idle')
  for (const phase of ['starting', 'running', 'stopping', 'exited'] as const) course.enter(examples[phase])
  t.same(told, ['starting', 'running', 'stopping', 'exited'])
})

test('only a running app that says so is ready', async t => {
  const course = new Course('app', () => undefined)
  t.notOk(course.isReady)
  course.enter(examples.starting)
  t.notOk(course.isReady)
  course.enter({phase: 'running', pid: 1, ready: false})
  t.notOk(course.isReady)
  course.enter(examples.running)
  t.ok(course.isReady)
})
