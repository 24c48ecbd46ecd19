import t from 'tap'
import {openRig} from '../rig/rig.ts'

t.test('a stop that waits for an app says so after 10 s, and "stopped" once the run is gone', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', stop: {timeout: '60m'}}])
  const run = rig.pillion(['run', '-f', '.'])
  const a = await rig.driven('a')
  await a.catchSignal('SIGTERM')
  await run.waitForLine('Writing log files')
  const stop = rig.pillion(['stop', '-f', '.'])
  t.equal(await a.nextSignal(), 'SIGTERM')
  await stop.waitForLine(`the run with pid ${run.pid} is still stopping`, {stream: 'stderr'})
  t.equal(stop.stdout.text, '')
  await a.exit(0)
  await stop.waitForLine('stopped successfully')
  t.match(await stop.exited, {code: 0})
  t.ok(run.hasExited)
})
