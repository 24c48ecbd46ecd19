import {join} from 'node:path'
import t from 'tap'
import {component} from '../rig/resource-files.ts'
import {resultsOf} from '../rig/results.ts'
import {openRig} from '../rig/rig.ts'
import {daprForJavascript, daprForPython, daprForPythonWeb, goProgram, installed} from './installed.ts'

t.setTimeout(300_000)

/** A store of the test's own: the default one may be that of another test's run. */
const STORE = {'resources/store.yaml': component('statestore', 'state.in-memory', {actorStateStore: 'true'})}
const resourcesPath = '../resources'

const fixture = (name: string): string => join(import.meta.dirname, '../fixtures/sdks', name)

t.test('Dapr’s SDK for JavaScript: actors with state, timers and reminders, and a client', async t => {
  const folder = await installed(t, daprForJavascript('3.18.0'))
  if (folder === undefined) return
  const rig = await openRig(t)
  const command = [process.execPath, fixture('actors.mjs')]
  await rig.write(STORE)
  await rig.template([
    {appID: 'counters', resourcesPath, autoPort: true, command, env: {ROLE: 'host', IDLE: '1s', SDK_FOLDER: folder}},
    {appID: 'shop', resourcesPath, command, env: {ROLE: 'client', SDK_FOLDER: folder}}
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

/** What its client is told, whatever hosts. */
const COUNTED = {first: 2, many: 22, again: 7, fails: {message: /no apples/}, beaten: true, reminded: true}

t.test('Dapr’s SDK for Python: actors hosted over a stream of gRPC, and a client', async t => {
  const folder = await installed(t, daprForPython)
  if (folder === undefined) return
  const rig = await openRig(t)
  const command = ['python3', fixture('actors.py')]
  await rig.write(STORE)
  await rig.template([
    {
      appID: 'counters',
      resourcesPath,
      autoPort: true,
      appProtocol: 'grpc',
      command,
      env: {ROLE: 'host', PYTHONPATH: folder}
    },
    {appID: 'shop', resourcesPath, command, env: {ROLE: 'client', PYTHONPATH: folder}}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  t.match(await resultsOf(run), COUNTED)
  await run.waitForLine('== APP - counters == deactivated one')
  t.match(run.stdout.text, "reminded wake b'again'")
  t.notOk(run.stdout.text.includes('OVERLAP'))
  const {http} = await run.ports('counters')
  t.match(await (await fetch(`http://127.0.0.1:${http}/v1.0/metadata`)).json(), {
    actorRuntime: {runtimeStatus: 'RUNNING', hostReady: true}
  })
})

for (const web of ['flask', 'fastapi'])
  t.test(`Dapr’s SDK for Python: actors hosted by ${web} that call themselves, and are saved under calls`, async t => {
    const folder = await installed(t, daprForPythonWeb)
    if (folder === undefined) return
    const rig = await openRig(t)
    const command = ['python3', fixture('actors.py')]
    const env = {PYTHONPATH: folder}
    await rig.write({...STORE, 'counters/version.txt': '0'})
    await rig.template([
      {
        appID: 'counters',
        appDirPath: 'counters',
        resourcesPath,
        autoPort: true,
        watch: true,
        command,
        env: {...env, ROLE: web}
      },
      {appID: 'shop', resourcesPath, command, env: {...env, ROLE: 'client'}}
    ])
    const run = rig.pillion(['run', '-f', '.'])
    t.match(await resultsOf(run), COUNTED)
    t.match(run.stdout.text, "reminded wake b'again'")
    await run.waitForLine('== APP - counters == deactivated one')
    t.notOk(run.stdout.text.includes('OVERLAP'))
    const {http} = await run.ports('shop')
    const add = async (by: number): Promise<string> => {
      const url = `http://127.0.0.1:${http}/v1.0/actors/Counter/saved/method/Add`
      return (await fetch(url, {method: 'POST', body: `${by}`})).text()
    }
    t.equal(await add(1), '1')
    await rig.write({'counters/version.txt': '1'})
    let value = 1
    while (!run.stdout.text.includes('deactivated saved')) t.equal(await add(1), `${++value}`)
    t.equal(await add(1), `${++value}`, 'the next process goes on with its state')
  })

t.test('Dapr’s SDK for Go: actors with state, timers and reminders, and a client over gRPC', async t => {
  const folder = await installed(t, goProgram('actors'))
  if (folder === undefined) return
  const rig = await openRig(t)
  const command = [join(folder, 'actors')]
  await rig.write(STORE)
  await rig.template([
    {appID: 'counters', resourcesPath, autoPort: true, command, env: {ROLE: 'host'}},
    {appID: 'shop', resourcesPath, command, env: {ROLE: 'client'}, dependsOn: ['counters']}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  t.match(await resultsOf(run), {
    first: 2,
    many: 52,
    other: 7,
    fails: /error from actor service: \(500\)/,
    unknown: /error invoke actor method/,
    beaten: true,
    reminded: true
  })
  t.match(run.stdout.text, /reminded wake \S+/)
  t.notOk(run.stdout.text.includes('OVERLAP'))
})
