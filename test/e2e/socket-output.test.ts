import t, {type Test} from 'tap'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'

t.setTimeout(45_000)

/** More than a socket and the queue behind it take. */
const LOUD = "process.stdout.write('a short line\\n'.repeat(400_000)); setInterval(() => {}, 1000)"

/** A run whose stdout and stderr are sockets, as of each program that Node's `spawn` starts; its reader is behind. */
async function behind(t: Test, args: readonly string[] = []): Promise<{readonly rig: Rig; readonly run: Program}> {
  const rig = await openRig(t)
  await rig.template([{appID: 'loud', command: [process.execPath, 'loud.mjs']}])
  await rig.write({'loud/loud.mjs': LOUD})
  const run = rig.pillion(['run', '-f', '.', ...args])
  await run.waitForLine('a short line')
  run.leaveOutput()
  return {rig, run}
}

t.test('stop ends a run whose stdout is a socket that is not read', async t => {
  const {rig, run} = await behind(t)
  t.match(await rig.run(['stop', '-f', '.']), {code: 0, stdout: /stopped successfully/})
  t.same(await run.gone(), {code: 0, signal: null})
  run.readOutput()
  t.same(await rig.leftovers(), [])
})

t.test('so does each signal', async t => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const {rig, run} = await behind(t)
    run.signal(signal)
    t.same(await run.gone(), {code: 0, signal: null}, signal)
    run.readOutput()
    t.notMatch(run.stderr.text, /at .*\.js/, 'no stack')
    t.same(await rig.leftovers(), [])
  }
})

t.test('a save while the reader is behind is a reload, and ends nothing', async t => {
  const {rig, run} = await behind(t, ['--watch'])
  await rig.write({'loud/loud.mjs': `${LOUD}\n// saved`})
  t.match(await rig.run(['wait', '--for', 'reloaded:loud', '--timeout', '20s']), {code: 0})
  run.readOutput()
  await run.waitForLine('loud: reloaded')
  await rig.run(['stop', '-f', '.'])
  t.same(await run.gone(), {code: 0, signal: null})
})
