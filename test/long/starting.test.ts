import t, {type Test} from 'tap'
import {openRig, type Rig} from '../rig/rig.ts'
import type {Program} from '../rig/program.ts'
import {writeWorktrees} from '../rig/worktrees.ts'

const PR = {folder: 'pr'}

/** A copy whose setup lasts. */
async function copyInSetup(t: Test): Promise<{readonly rig: Rig; readonly start: () => Promise<Program>}> {
  const rig = await openRig(t)
  const setup = ['sh', '-c', 'sleep 100 & echo begun; wait']
  const apps = [{appID: 'a', appDirPath: '.', command: ['sleep', '300']}]
  await writeWorktrees(rig, {'dapr.yaml': JSON.stringify({version: 1, setup, apps})})
  const start = async (): Promise<Program> => {
    const run = rig.pillion(['up'], PR)
    await run.waitForLine('begun', {stream: 'stderr'})
    return run
  }
  return {rig, start}
}

t.test('a second up is refused while the first one makes its copy ready', async t => {
  const {rig, start} = await copyInSetup(t)
  const first = await start()
  for (const args of [['up'], ['up', '-d']])
    t.match(await rig.run(args, PR), {
      code: 1,
      stderr: `❌  dapr.yaml is already being started (pid ${first.pid})\npillion down ends it`
    })
  t.match(await rig.run(['down'], PR), {code: 0, stdout: /stopped successfully/})
  await first.exited
})

t.test('down --name and copies down end a copy that is made ready; copies forget refuses it', async t => {
  const {rig, start} = await copyInSetup(t)
  for (const [args, stdout] of [
    [['down', '--name', 'pr'], /stopped successfully/],
    [['copies', 'down', 'pr'], /pr was stopped/],
    [['copies', 'down', '--all'], /pr was stopped/]
  ] as const) {
    const run = await start()
    t.match(await rig.run(['copies', 'forget', 'pr', '--yes'], PR), {
      code: 1,
      stderr: `pr is being started (pid ${run.pid})`
    })
    t.match(await rig.run(args, PR), {code: 0, stdout, stderr: ''}, args.join(' '))
    await run.exited
    t.notMatch(run.stdout.text, 'started')
  }
  t.match(await rig.run(['down', '--name', 'pr'], PR), {code: 1, stderr: /no run is called "pr"/})
})

t.test('down and copies down end a start, and a run, that Ctrl-Z has stopped', async t => {
  const {rig, start} = await copyInSetup(t)
  for (const args of [['down'], ['copies', 'down', 'pr']]) {
    const run = await start()
    process.kill(run.pid, 'SIGSTOP')
    t.match(await rig.run(args, PR), {code: 0, stdout: /stopped/}, args.join(' '))
    await run.exited
  }
  await rig.write({
    'pr/dapr.yaml': JSON.stringify({version: 1, apps: [{appID: 'a', appDirPath: '.', command: ['sleep', '300']}]})
  })
  const run = rig.pillion(['up'], PR)
  await run.ports('a')
  process.kill(run.pid, 'SIGSTOP')
  t.match(await rig.run(['copies', 'down', 'pr'], PR), {code: 0, stdout: /pr was stopped/, stderr: ''})
  t.match(await run.exited, {code: 0})
  t.same(await rig.leftovers(), [])
})

t.test('of runs of one template that begin in the same instant, one is refused', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', command: ['sleep', '300']}])
  t.teardown(async () => rig.run(['down']))
  const all = await Promise.all(Array.from({length: 3}, async () => rig.run(['up', '-d'])))
  t.equal(all.filter(({code}) => code === 0).length, 1)
  t.equal((await rig.run(['list'])).stdout.match(/^ *a /gm)?.length, 1)
})
