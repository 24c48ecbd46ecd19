import {execFileSync} from 'node:child_process'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {caller, post, STORE} from './actors-house.ts'

const HOST = join(import.meta.dirname, '../fixtures/apps/actor-host.mjs')

const template = (apps: readonly object[]): string =>
  JSON.stringify({version: 1, common: {resourcesPath: '../resources'}, apps})

t.test('a type that another run hosts is called there, in turns; own apps come first', async t => {
  const rig = await openRig(t)
  const host = (name: string, type = 'Counter'): object => ({
    appID: name,
    appDirPath: '.',
    autoPort: true,
    command: [process.execPath, HOST],
    env: {JOURNAL: join(rig.home, name), NAME: name, CONFIG: JSON.stringify({entities: [type]})}
  })
  const shop = {appID: 'shop', appDirPath: '.', command: ['sleep', '1000']}
  await rig.write({
    'resources/mem.yaml': STORE,
    'closed.yaml': 'kind: Configuration\nspec:\n  api: {denied: [{name: actors, version: v1, protocol: http}]}\n',
    'far/dapr.yaml': template([host('far'), {...host('closed', 'Closed'), configFilePath: '../closed.yaml'}]),
    'near/dapr.yaml': template([shop])
  })
  const near = rig.pillion(['run', '-f', 'near'])
  const call = caller(near)
  t.match(await call('shop', '/Counter/1/method/add', post('1')), {
    status: 500,
    body: /no app of this run hosts actors/
  })
  const far = rig.pillion(['run', '-f', 'far'])
  const direct = caller(far)
  t.match(await direct('far', '/Counter/1/method/add', post('1')), {status: 200, body: '1'})
  let first = await call('shop', '/Counter/1/method/env', post('NAME'))
  while (first.status !== 200) first = await call('shop', '/Counter/1/method/env', post('NAME'))
  t.equal(first.body, 'far')
  t.match(await direct('closed', '/Closed/1/method/env', post('NAME')), {status: 404}, 'spec.api denies actors')
  const closed = await call('shop', '/Closed/1/method/env', post('NAME'))
  t.match(closed, {status: 200, body: 'closed'}, 'spec.api does not restrict calls between sidecars')
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
  const headers = {traceparent: `00-${trace}-00f067aa0ba902b7-01`, tracestate: 'mine=1', 'x-sent': '1'}
  t.match(JSON.parse((await call('shop', '/Counter/1/method/head', {method: 'POST', headers})).body), {
    headers: {traceparent: new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`), tracestate: 'mine=1', 'x-sent': '1'}
  })
  const adds = Array.from({length: 10}, async (_, at) =>
    at % 2 === 0 ? call('shop', '/Counter/1/method/add', post('1')) : direct('far', '/Counter/1/method/add', post('1'))
  )
  const counts = (await Promise.all(adds)).map(({body}) => Number(body))
  t.strictSame(
    counts.toSorted((a, b) => a - b),
    Array.from({length: 10}, (_, at) => at + 2),
    'one call at a time'
  )
  t.match(await call('shop', '/Counter/1/method/nothing', post('')), {
    status: 500,
    body: /"error invoke actor method: actor method not found: actors\/Counter\/1\/method\/nothing"/
  })
  const {stdout} = await rig.run(['calls', 'actor:Counter/1', '--run-file', 'near', '-o', 'ndjson'])
  t.match(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? ''), {from: 'shop', to: 'far', actor: {type: 'Counter'}})
  await far.end('SIGINT')
  let last = await call('shop', '/Counter/1/method/add', post('1'))
  while (!last.body.includes('did not find address')) last = await call('shop', '/Counter/1/method/add', post('1'))
  t.match(last, {status: 500, body: /ERR_ACTOR_INVOKE_METHOD/})
})

t.test('a call that has waited for an app of its run, which hosts other types, goes to the other run', async t => {
  const rig = await openRig(t)
  const far = {
    appID: 'far',
    appDirPath: '.',
    autoPort: true,
    command: [process.execPath, HOST],
    env: {JOURNAL: join(rig.home, 'far'), NAME: 'far'}
  }
  const server = "require('node:http').createServer((_, to) => to.writeHead(404).end()).listen(process.env.APP_PORT)"
  const plain = {
    appID: 'plain',
    appDirPath: '.',
    autoPort: true,
    command: ['sh', '-c', 'read go < go; exec "$0" -e "$1"']
  }
  const late = {...plain, command: [...plain.command, process.execPath, server]}
  const shop = {appID: 'shop', appDirPath: '.', command: ['sleep', '1000']}
  await rig.write({
    'resources/mem.yaml': STORE,
    'far/dapr.yaml': template([far]),
    'near/dapr.yaml': template([shop, late])
  })
  execFileSync('mkfifo', [join(rig.folder, 'near/go')])
  const there = rig.pillion(['run', '-f', 'far'])
  t.match(await caller(there)('far', '/Counter/1/method/env', post('NAME')), {status: 200, body: 'far'})
  const near = rig.pillion(['run', '-f', 'near'])
  const answer = caller(near)('shop', '/Counter/1/method/env', post('NAME'))
  await near.ports('plain')
  await writeFile(join(rig.folder, 'near/go'), '\n')
  t.match(await answer, {status: 200, body: 'far'})
})

t.test('a type whose hosts have ended in two runs is refused: neither run asks the other without end', async t => {
  const rig = await openRig(t)
  const shop = {appID: 'shop', appDirPath: '.', command: ['sleep', '1000']}
  const host = (name: string): object => ({
    appID: name,
    appDirPath: '.',
    autoPort: true,
    command: [process.execPath, HOST],
    env: {JOURNAL: join(rig.home, name)}
  })
  await rig.write({
    'resources/mem.yaml': STORE,
    'one/dapr.yaml': template([shop, host('first')]),
    'two/dapr.yaml': template([shop, host('second')])
  })
  const one = rig.pillion(['run', '-f', 'one'])
  const two = rig.pillion(['run', '-f', 'two'])
  for (const [run, app] of [
    [one, 'first'],
    [two, 'second']
  ] as const)
    t.match(await caller(run)(app, '/Counter/1/method/die', post('')), {status: 500})
  for (const run of [one, two])
    t.match(await caller(run)('shop', '/Counter/1/method/add', post('1')), {
      status: 500,
      body: /did not find address for actor 'Counter\/1'/
    })
})

t.test('a call waits for an app of another run that is still to start', async t => {
  const rig = await openRig(t)
  const late = {
    appID: 'far',
    appDirPath: '.',
    autoPort: true,
    command: [process.execPath, HOST],
    env: {JOURNAL: join(rig.home, 'far'), LATE: '1000', CONFIG_AFTER: '100'}
  }
  const shop = {appID: 'shop', appDirPath: '.', command: ['sleep', '1000']}
  await rig.write({'resources/mem.yaml': STORE, 'far/dapr.yaml': template([late]), 'near/dapr.yaml': template([shop])})
  const near = rig.pillion(['run', '-f', 'near'])
  await near.ports('shop')
  const far = rig.pillion(['run', '-f', 'far'])
  await far.ports('far')
  const {status, body} = await caller(near)('shop', '/Counter/1/method/add', post('1'))
  t.strictSame([status, body], [200, '1'])
})
