import t, {type Test} from 'tap'
import type {AppPlan} from '../../../src/model/plan.ts'
import {Program} from '../../../src/supervisor/program.ts'
import {planOf} from '../../rig/plan.ts'
import {Scene, script, Witness} from './process/scene.ts'

/** A program whose processes are counted. */
const programOf = (
  t: Test,
  maySpawn = (): boolean => true,
  plan = planOf({command: script('exec sleep 1000')}),
  folderOf = async ({folder}: AppPlan): Promise<string> => Promise.resolve(folder)
): {program: Program; witness: Witness; spawned: () => number} => {
  const scene = new Scene(t)
  const witness = new Witness()
  const {moved, noted, lines} = witness
  let markers = 0
  const program = new Program(
    {
      lines,
      environment: marker => ({...scene.environment(), PILLION_LIFE: marker}),
      nextMarker: () => `${scene.run}-${++markers}`,
      folderOf,
      maySpawn,
      starter: 'none',
      plan: () => plan,
      watchdog: undefined,
      single: undefined,
      noted,
      moved,
      otherMoved: () => undefined
    },
    plan,
    0
  )
  t.teardown(async () => program.stop('run ends'))
  return {program, witness, spawned: () => markers}
}

const replace = async (program: Program, plan: AppPlan): Promise<void> =>
  program.replace(plan, 0, 'watch', () => undefined)

t.test('a process that is to take over is not spawned after the end of the one that it would replace', async t => {
  const {program, spawned} = programOf(t)
  await program.start(undefined)
  await program.stop('run ends')
  const late = program.candidate(planOf({command: script('exec sleep 1000')}), 0)
  await late.start()
  t.match(late.state, {phase: 'exited', asked: true})
  await replace(program, planOf({command: script('exec sleep 1000')}))
  t.equal(program.app.state.phase, 'exited')
  t.equal(spawned(), 1)
})

t.test('nothing is spawned while nothing may be', async t => {
  let may = true
  const {program, spawned} = programOf(t, () => may)
  const start = program.start(undefined) // it makes its pipes now
  may = false
  await start
  t.match(program.app.state, {phase: 'exited', asked: true})
  t.ok(program.hasEnded)
  t.equal(spawned(), 0)
})

t.test('one that sleeps is asleep while an edit replaces it, so that what comes then wakes it', async t => {
  const {program, spawned} = programOf(t)
  program.sleep()
  t.equal(program.app.state.phase, 'asleep')
  const plan = planOf({command: script('exec sleep 1000')})
  const quiet = replace(program, plan)
  t.equal(program.app.state.phase, 'asleep')
  await quiet
  t.match([program.app.state.phase, program.hasStarted, spawned()], ['asleep', false, 0])
  const woken = replace(program, plan)
  await program.start(undefined)
  await woken
  t.match([program.app.state.phase, program.hasStarted, spawned()], [/starting|running/, true, 1])
})

t.test('it has not ended as long as a process is left that is to take over, or was replaced', async t => {
  const {program} = programOf(t)
  await program.start(undefined)
  const late = program.candidate(planOf({command: script('exec sleep 1000')}), 0)
  await late.start()
  await program.app.stop('user')
  t.equal(program.app.state.phase, 'exited')
  const ended = program.ended().then(() => 'ended')
  t.equal(await Promise.race([ended, new Promise(resolve => setImmediate(resolve, 'one is left'))]), 'one is left')
  await program.stopOther(late, 'user')
  t.equal(await ended, 'ended')
  t.ok(program.hasEnded)
})

t.test('one that may sleep and ended with 0 sleeps on when an edit replaces it; a failed one is tried', async t => {
  for (const code of [0, 3]) {
    const plan = planOf({command: script(`exit ${code}`), lazy: true})
    const {program, witness, spawned} = programOf(t, () => true, plan)
    await program.start(undefined)
    await witness.phase('asleep')
    await replace(program, planOf({command: script('exec sleep 1000'), lazy: true}))
    if (code > 0) await witness.phase('starting', 2)
    t.equal(spawned(), code === 0 ? 1 : 2)
    t.match(program.app.state.phase, code === 0 ? 'asleep' : /starting|running/)
  }
})

t.test('of two processes that are prepared in the same instant the end of one leaves the other alone', async t => {
  const [first, both] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let asked = 0
  const {program, witness} = programOf(t, undefined, undefined, async ({folder}) => {
    if (++asked === 1) first.resolve()
    else both.resolve()
    await both.promise
    return folder
  })
  const started = program.start(undefined)
  await first.promise
  const late = program.candidate(planOf({command: script('exec sleep 1000')}), 0)
  await Promise.all([started, late.start()])
  await program.app.stop('user')
  t.strictSame(witness.notes, [], 'it has ended no other process')
})

t.test('one that waits for its next process starts none once another one is in its place', async t => {
  const {program, witness, spawned} = programOf(t, undefined, planOf({command: script('exit 3'), restart: 'always'}))
  await program.start(undefined)
  await witness.phase('backoff')
  const {app} = program
  const before = spawned()
  program.reset(planOf({command: script('exec sleep 1000')}), 0)
  t.match(await app.ended, {phase: 'exited', asked: true})
  t.equal(spawned(), before)
  await program.start(undefined)
  t.equal(spawned(), before + 1)
})

t.test('a process of the same plan begins once the one before has ended, which seems to stop until then', async t => {
  const plan = planOf({command: script('exec sleep 1000')})
  const {program, witness, spawned} = programOf(t, undefined, plan)
  await program.start(undefined)
  await witness.ready()
  const {state} = program.app
  const replaced = replace(program, plan)
  t.same(program.app.state, {phase: 'stopping', pid: 'pid' in state && state.pid, why: 'watch'})
  await replaced
  await witness.ready(2)
  t.same(witness.phases, ['starting', 'running', 'stopping', 'starting', 'running'])
  t.equal(spawned(), 2)
})

t.test('no process begins in a folder that was prepared before the latest change', async t => {
  const plan = planOf({command: script('exec sleep 1000')})
  const folders = [0, 1].map(() => ({asked: Promise.withResolvers<void>(), made: Promise.withResolvers<string>()}))
  const [first, second] = folders as [(typeof folders)[0], (typeof folders)[0]]
  const left = [first, second]
  const {program, witness} = programOf(t, undefined, plan, async () => {
    const folder = left.shift()
    folder?.asked.resolve()
    return folder?.made.promise ?? '/'
  })
  void program.start(undefined)
  await first.asked.promise
  void replace(program, plan)
  first.made.resolve('/')
  await second.asked.promise
  t.same(witness.phases, [])
  second.made.resolve('/')
  await witness.ready()
  t.same(witness.phases, ['starting', 'running'])
})
