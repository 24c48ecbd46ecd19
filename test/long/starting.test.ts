import t, {type Test} from 'tap'
import {startOf} from '../../src/platform/process-table.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import type {Program} from '../rig/program.ts'
import {writeWorktrees} from '../rig/worktrees.ts'

const PR = {folder: 'pr'}
const APPS = [{appID: 'a', appDirPath: '.', command: ['sleep', '300']}]
/** Its setup lasts. */
const SLOW = JSON.stringify({version: 1, setup: ['sh', '-c', 'sleep 100 & echo begun; wait'], apps: APPS})

type Start = (folder?: string, args?: readonly string[]) => Promise<Program>

/** Copies whose setup lasts. */
async function copyInSetup(
  t: Test,
  file = 'dapr.yaml',
  added: readonly string[] = ['pr']
): Promise<{readonly rig: Rig; readonly start: Start}> {
  const rig = await openRig(t)
  await writeWorktrees(rig, {[file]: SLOW}, added)
  const start: Start = async (folder = 'pr', args = ['up']) => {
    const run = rig.pillion(args, {folder})
    await run.waitForLine('begun', {stream: 'stderr'})
    return run
  }
  return {rig, start}
}

t.test('down --name and copies down end a copy that is made ready; copies forget refuses it', async t => {
  const {rig, start} = await copyInSetup(t)
  for (const [args, stdout] of [
    [['down', '--name', 'pr'], / stopped\n/],
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
  await rig.write({'pr/dapr.yaml': JSON.stringify({version: 1, apps: APPS})})
  const run = rig.pillion(['up'], PR)
  await run.ports('a')
  process.kill(run.pid, 'SIGSTOP')
  t.match(await rig.run(['copies', 'down', 'pr'], PR), {code: 0, stdout: /pr was stopped/, stderr: ''})
  t.match(await run.exited, {code: 0})
  t.same(await rig.leftovers(), [])
})

t.test('runs of one template that begin in the same instant are one run, which all report', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', command: ['sleep', '300']}])
  t.teardown(async () => rig.run(['down']))
  const all = await Promise.all(Array.from({length: 3}, async () => rig.run(['up', '-d'])))
  t.same(
    all.map(({code}) => code),
    [0, 0, 0]
  )
  t.equal((await rig.run(['list'])).stdout.match(/^ *a /gm)?.length, 1)
})

t.test('down --name ends no start in another folder that is called alike', async t => {
  const {rig, start} = await copyInSetup(t, 'shop/dapr.yaml', ['pr', 'qa'])
  t.match(await rig.run(['up', '-d'], {folder: 'main/shop'}), {code: 0})
  const pr = await start('pr/shop')
  t.match(await rig.run(['down', '--name', 'shop']), {code: 0, stdout: / stopped\n/})
  t.match(await rig.run(['list']), {stdout: /No Dapr instances/})
  t.not(startOf(pr.pid), 0)
  const qa = await start('qa/shop')
  t.match(await rig.run(['down', '--name', 'shop']), {code: 1, stderr: /several runs are being started.*shop/})
  t.match(await rig.run(['down', '-f', 'qa/shop']), {code: 0})
  await qa.exited
  t.match(await rig.run(['down', '--name', 'shop']), {code: 0, stdout: / stopped\n/})
  await pr.exited
})

t.test('copies down NAME ends the run of a copy, and what is started besides', async t => {
  const {rig, start} = await copyInSetup(t)
  await rig.write({'pr/dapr.yaml': JSON.stringify({version: 1, apps: APPS})})
  t.match(await rig.run(['up', '-d'], PR), {code: 0})
  await rig.write({'pr/dapr.yaml': SLOW})
  const again = await start('pr', ['run', '-f', '.'])
  t.match(await rig.run(['copies', 'down', 'pr'], PR), {code: 0, stdout: /pr was stopped/, stderr: ''})
  await again.exited
  t.match(await rig.run(['list']), {stdout: /No Dapr instances/})
})

t.test('a copy whose folder has a blank in its name is ended, and not forgotten, while it is made ready', async t => {
  const {rig, start} = await copyInSetup(t, 'dapr.yaml', ['my pr'])
  const inside = {folder: 'my pr'}
  const run = await start('my pr')
  t.match(await rig.run(['copies', 'forget', 'my pr', '--yes'], inside), {code: 1, stderr: /my pr is being started/})
  t.match(await rig.run(['copies', 'down', 'my pr'], inside), {code: 0, stdout: /my pr was stopped/})
  await run.exited
})
