import t, {type Test} from 'tap'
import {Program} from '../../../src/host/program.ts'
import {planOf, Scene, script, Witness} from '../app/scene.ts'

/** A program whose lives are counted. */
const programOf = (t: Test, maySpawn = (): boolean => true): {program: Program; spawned: () => number} => {
  const scene = new Scene(t)
  const {moved, lines} = new Witness()
  let lives = 0
  const plan = planOf({command: script('exec sleep 1000')})
  const program = new Program(
    {
      lines,
      environment: life => scene.environment(life),
      nextLife: () => (++lives).toString(),
      folderOf: ({folder}) => folder,
      maySpawn,
      guardian: undefined,
      single: undefined,
      noted: () => undefined,
      moved,
      besideMoved: () => undefined
    },
    plan,
    0
  )
  t.teardown(async () => program.stop('run ends'))
  return {program, spawned: () => lives}
}

t.test('a process that is to take over is not spawned after the end of the one that it would replace', async t => {
  const {program, spawned} = programOf(t)
  await program.start(undefined)
  await program.stop('run ends')
  const late = program.beside(planOf({command: script('exec sleep 1000')}), 0)
  await late.start()
  t.match(late.state, {phase: 'exited', asked: true})
  await program.revive(planOf({command: script('exec sleep 1000')}), 0, 'watch')
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
