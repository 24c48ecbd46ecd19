import {join} from 'node:path'
import t from 'tap'
import {resultsOf} from '../rig/results.ts'
import {openRig} from '../rig/rig.ts'
import {daprForJavascript, daprForPython, installed} from './installed.ts'

t.setTimeout(300_000)

const fixture = (name: string): string => join(import.meta.dirname, '../fixtures/sdks', name)

t.test('Dapr’s SDK for JavaScript: actors with state, timers and reminders, and a client', async t => {
  const folder = await installed(t, daprForJavascript('3.18.0'))
  if (folder === undefined) return
  const rig = await openRig(t)
  const command = [process.execPath, fixture('actors.mjs')]
  await rig.template([
    {appID: 'counters', autoPort: true, command, env: {ROLE: 'host', IDLE: '1s', SDK_FOLDER: folder}},
    {appID: 'shop', command, env: {ROLE: 'client', SDK_FOLDER: folder}}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  t.match(await resultsOf(run), {
    first: 2,
    many: 52,
    other: 7,
    fails: /ERR_ACTOR_INVOKE_METHOD.*error from actor service: \(500\)/,
    unknown: /ERR_ACTOR_INVOKE_METHOD/,
    beaten: true,
    reminded: true
  })
  await run.waitForLine('== APP - counters == deactivated one')
  t.notOk(run.stdout.text.includes('OVERLAP'))
})

t.test('Dapr’s SDK for Python: actors hosted over a stream of gRPC, and a client', async t => {
  const folder = await installed(t, daprForPython)
  if (folder === undefined) return
  const rig = await openRig(t)
  const command = ['python3', fixture('actors.py')]
  await rig.template([
    {appID: 'counters', autoPort: true, appProtocol: 'grpc', command, env: {ROLE: 'host', PYTHONPATH: folder}},
    {appID: 'shop', command, env: {ROLE: 'client', PYTHONPATH: folder}}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  t.match(await resultsOf(run), {first: 2, many: 22, fails: {message: /no apples/}, beaten: true, reminded: true})
  await run.waitForLine('== APP - counters == deactivated one')
  t.match(run.stdout.text, "reminded wake b'again'")
  t.notOk(run.stdout.text.includes('OVERLAP'))
  const {http} = await run.ports('counters')
  t.match(await (await fetch(`http://127.0.0.1:${http}/v1.0/metadata`)).json(), {
    actorRuntime: {runtimeStatus: 'RUNNING', hostReady: true}
  })
})
