import type * as Api from '../../src/model/api.generated.ts'
import t from 'tap'
import {ask, controlSocket} from '../rig/control-socket.ts'
import {openRig} from '../rig/rig.ts'

const job = {appID: 'job', appDirPath: '.', command: ['false']}

t.test('what an app that has ended, or was never started, cannot do any more', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'shop', appDirPath: '.', command: ['sleep', '600']},
    job,
    {appID: 'late', appDirPath: '.', dependsOn: {job: 'completed'}, command: ['true']},
    {appID: 'extra', appDirPath: '.', profiles: ['more'], command: ['true']}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  await run.ports('shop')
  t.match(await rig.run(['wait', '--for', 'ready:shop', '--for', 'exit:job']), {code: 0})
  const cases: readonly (readonly [condition: string, stderr: RegExp])[] = [
    [
      'log:job:done',
      /log:job:done: job has not written a line that matches \/done\/\n {4}job: .*it has written no output\n$/
    ],
    ['ready:job', /job will not become ready\n {4}job: "job" exited with code 1/],
    ['reloaded:job', /job did not become ready/],
    ['exit:late', /late was not started\n {4}late: "late" was not started: it depends on/],
    ['ready', /job, late will not become ready/],
    ['ready:extra', /no app "extra"\nnot started: --profile more starts it/]
  ]
  for (const [condition, stderr] of cases)
    t.match(await rig.run(['wait', '--for', condition, '--timeout', '10m']), {code: 1, stderr}, condition)
  t.match(await rig.run(['wait', '--for', 'idle:50ms']), {code: 0}, 'nothing goes on')
})

t.test('an app that leaves the run meanwhile', async t => {
  const rig = await openRig(t)
  const shop = {appID: 'shop', appDirPath: '.', command: ['sleep', '600']}
  await rig.template([shop, {...shop, appID: 'stock'}])
  const run = rig.pillion(['run', '-f', '.', '--watch'])
  await run.ports('stock')
  await rig.run(['wait', '--for', 'ready'])
  const socket = controlSocket(rig)
  const wait = async (condition: string): Promise<Api.Waited> => {
    const body = JSON.stringify({for: [condition], timeout: '10m'})
    return (await ask(socket, '/api/v1/wait', {method: 'POST', body})).json as Api.Waited
  }
  const waits = Promise.all(['log:stock:never', 'reloaded:stock', 'exit:stock'].map(wait))
  await ask(socket, '/api/v1/run') // comes behind them
  await rig.template([shop])
  t.match(await waits, [
    {outcome: 'impossible', conditions: [{reason: /stock (has left the run|has not written)/}]},
    {outcome: 'impossible', conditions: [{reason: /stock (has left the run|did not become ready)/}]},
    {outcome: 'met', conditions: [{reason: /stock has (left the run|no process)/}]}
  ])
})

t.test('a run that is killed within the wait; after that, another one is waited for', async t => {
  const rig = await openRig(t)
  await rig.template([job, {appID: 'shop'}])
  const run = rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  const waiting = rig.pillion(['wait', '--for', 'log:shop:never', '--any', '--for', 'log:shop:first'])
  await shop.print('first\n')
  t.match(await waiting.exited, {code: 0})
  const killed = ask(controlSocket(rig), '/api/v1/wait', {method: 'POST', body: '{"for": ["calls:9"]}'})
  await ask(controlSocket(rig), '/api/v1/run')
  run.signal('SIGKILL')
  await t.rejects(killed, {code: 'ECONNRESET'})
  await run.exited
  const next = rig.pillion(['wait', '--for', 'ready:shop'])
  const again = rig.pillion(['run', '-f', '.'])
  await rig.driven('shop')
  t.match(await next.exited, {code: 0})
  again.signal('SIGTERM')
})

t.test('a save is live before a run is idle, and a timed restart is waited for', async t => {
  const rig = await openRig(t)
  await rig.write({'app.mjs': `console.log('version 1'); setInterval(() => {}, 1000)`})
  await rig.template([{appID: 'shop', appDirPath: '.', command: ['node', 'app.mjs'], watch: ['app.mjs']}])
  const run = rig.pillion(['run', '-f', '.'])
  t.match(await rig.run(['wait', '--for', 'idle', '--for', 'ready']), {code: 0})
  await rig.write({'app.mjs': `console.log('version 2'); setInterval(() => {}, 1000)`})
  t.match(await rig.run(['wait', '--for', 'idle:300ms']), {code: 0})
  t.match(await rig.run(['wait', '--for', 'reloaded:shop', '--for', 'log:version 2', '--timeout', '9s']), {code: 0})
  await run.end()

  await rig.template([{...job, restart: 'always'}])
  const crashing = rig.pillion(['run', '-f', '.'])
  await crashing.waitForLine(/exited with code 1/, {stream: 'stderr'})
  t.match(await rig.run(['wait', '--for', 'idle:100ms', '--timeout', '500ms']), {
    code: 124,
    stderr: /idle:100ms: ("job"|idle for)/
  })
})

t.test('more than 64 who wait at the same time', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', appDirPath: '.', command: ['sleep', '600']}])
  const run = rig.pillion(['run', '-f', '.'])
  await run.ports('shop')
  const socket = controlSocket(rig)
  const asking = {method: 'POST', body: '{"for": ["calls:9"]}'}
  const waits = Array.from({length: 65}, async () => ask(socket, '/api/v1/wait', asking))
  t.match(await Promise.race(waits), {status: 503, body: /64 others wait already/})
  run.signal('SIGTERM')
  const answers = await Promise.all(waits)
  t.equal(answers.filter(({status}) => status === 200).length, 64)
})
