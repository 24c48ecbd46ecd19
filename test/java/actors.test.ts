/** Actors with Dapr's SDK for Java (`dapr-sdk-actors`), unmodified: see `sdk.test.ts` for what such a test needs. */
import t from 'tap'
import {component} from '../rig/resource-files.ts'
import {resultsOf} from '../rig/results.ts'
import {openRig} from '../rig/rig.ts'
import {daprActorsForJava, installed} from '../sdks/installed.ts'
import {java} from './java.ts'

t.setTimeout(400_000)

t.test('Dapr’s SDK for Java: actors with state, timers and reminders, a client over gRPC, and a save', async t => {
  const folder = await installed(t, daprActorsForJava)
  if (folder === undefined) return
  const rig = await openRig(t)
  await rig.write({
    'resources/store.yaml': component('statestore', 'state.in-memory', {actorStateStore: 'true'}),
    'counters/version.txt': '0'
  })
  const command = java(folder, 'Actors')
  const resourcesPath = '../resources'
  await rig.template([
    {
      appID: 'counters',
      resourcesPath,
      autoPort: true,
      command,
      env: {ROLE: 'host'},
      watch: true,
      ready: {timeout: '60s'}
    },
    {appID: 'shop', resourcesPath, command, env: {ROLE: 'client'}, dependsOn: ['counters']}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  t.match(await resultsOf(run), {
    first: 2,
    many: 52,
    other: 7,
    // the SDK tells no more of what its actor throws
    fails:
      /error invoke actor method: error from actor service: \(500\) java\.lang\.reflect\.InvocationTargetException/,
    unknown: /did not find address for actor 'Nobody\/1'/,
    reminded: true
  })
  t.match(run.stdout.text, 'reminded wake again')
  t.notOk(run.stdout.text.includes('OVERLAP'))
  await rig.write({'counters/version.txt': '1'})
  await run.waitForLine('deactivated one')
  const {http} = await run.ports('counters')
  const answer = await fetch(`http://127.0.0.1:${http}/v1.0/actors/Counter/one/method/size`, {method: 'POST'})
  t.equal(await answer.text(), '57', 'the next process goes on with its state')
})
