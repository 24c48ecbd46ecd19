import {createServer, type AddressInfo} from 'node:net'
import t from 'tap'
import {openRig} from '../rig/rig.ts'

const lines = (text: string): readonly string[] => text.split('\n').slice(0, -1)

t.test('a single app that is killed: the signal in the words of Go, exit 1', async t => {
  const rig = await openRig(t)
  const run = rig.pillion(['run', '-a', 'a', '--', ...rig.drivenCommand])
  const a = await rig.driven('a')
  await run.waitForLine("You're up")
  await a.die('SIGKILL')
  t.match(await run.exited, {code: 1})
  t.same(run.stderr.lines, [
    '❌  The App process was terminated by signal: killed',
    '❌  Error exiting App: app terminated by signal: killed'
  ])
  t.same(run.stdout.lines.slice(-3), [
    'ℹ️  ',
    'terminated signal received: shutting down',
    '✅  Exited Dapr successfully'
  ])
})

t.test('/v1.0/shutdown with dapr-force-shutdown ends it at once, as a failure', async t => {
  const rig = await openRig(t)
  const run = rig.pillion(['run', '-a', 'a', '--', 'sleep', '1000'])
  await run.waitForLine("You're up")
  const {http} = await run.ports('a')
  const headers = {'dapr-force-shutdown': 'true'}
  const {status} = await fetch(`http://127.0.0.1:${http}/v1.0/shutdown`, {method: 'POST', headers})
  t.equal(status, 204)
  t.match(await run.exited, {code: 1})
})

t.test('/v1.0/shutdown ends a single app as Ctrl-C does, exit 0', async t => {
  const rig = await openRig(t)
  const run = rig.pillion(['run', '-a', 'a', '--', ...rig.drivenCommand])
  await rig.driven('a')
  await run.waitForLine("You're up")
  const {http} = await run.ports('a')
  t.equal((await fetch(`http://127.0.0.1:${http}/v1.0/shutdown`, {method: 'POST'})).status, 204)
  t.match(await run.exited, {code: 0})
  t.same(run.stdout.lines.slice(-3), [
    'terminated signal received: shutting down',
    '✅  Exited Dapr successfully',
    '✅  Exited App successfully'
  ])
  t.equal(run.stderr.text, '')
})

t.test('a sidecar alone ends without a word about an app; an empty --run-file is none', async t => {
  const rig = await openRig(t)
  const run = rig.pillion(['run', '-a', 'a', '-f', ''])
  await run.waitForLine("You're up and running! Dapr logs will appear here.")
  t.equal(run.stdout.lines[0], 'WARNING: no application command found.')
  t.match(await run.end(), {code: 0})
  t.same(run.stdout.lines.slice(-2), ['terminated signal received: shutting down', '✅  Exited Dapr successfully'])
})

t.test('a taken port is told bare', async t => {
  const rig = await openRig(t)
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const {port} = server.address() as AddressInfo
  for (const [flag, key] of [
    ['-H', 'HTTPPort'],
    ['-G', 'GRPCPort'],
    ['-M', 'MetricsPort'],
    ['-I', 'InternalGRPCPort']
  ] as const) {
    const {code, stdout, stderr} = await rig.run(['run', '-a', 'a', flag, port.toString(), '--', 'true'])
    t.equal(code, 1)
    t.equal(lines(stderr)[0], `❌  invalid configuration for ${key}. Port ${port} is not available`)
    t.equal(stdout, '', 'nothing was started')
  }
})

t.test('two single runs may have one id, and both are listed', async t => {
  const rig = await openRig(t)
  const runs = [1, 2].map(() => rig.pillion(['run', '-a', 'a', '--', 'sleep', '60']))
  for (const run of runs) await run.waitForLine("You're up")
  const rows = JSON.parse((await rig.run(['list', '-o', 'json'])).stdout) as readonly Record<string, unknown>[]
  t.match(rows, [
    {appId: 'a', appPort: 0, command: 'sleep 60', runTemplatePath: '', appLogPath: '', daprdLogPath: ''},
    {appId: 'a'}
  ])
})
