import t from 'tap'
import {openRig} from '../rig/rig.ts'

const APPS = [
  {appID: 'shop'},
  {appID: 'db', profiles: ['store'], env: {V: '1'}},
  {appID: 'admin', profiles: ['tools'], dependsOn: ['db'], autoPort: true}
]

const stateOf = (table: string, id: string): string | undefined => new RegExp(`^${id} +(\\w+)`, 'm').exec(table)?.[1]

t.test('an app with profiles waits until somebody starts it, and what it needs comes first', async t => {
  const rig = await openRig(t)
  await rig.template(APPS)
  const run = rig.pillion(['up'])
  const shop = await rig.driven('shop')
  await run.waitForLine('Writing log files')
  t.match(await shop.fetch('/v1.0/invoke/admin/method/x'), {
    status: 500,
    body: /couldn't find service: admin \[not started: --profile tools starts it, and so does \\"pillion start admin\\"\]/
  })
  const before = (await rig.run(['ps'])).stdout
  t.strictSame(
    [stateOf(before, 'shop'), stateOf(before, 'db'), stateOf(before, 'admin')],
    ['ready', 'stopped', 'stopped']
  )
  t.notMatch((await rig.run(['list'])).stdout, 'admin')
  t.match(await rig.run(['env', 'db']), {code: 1, stderr: /db is stopped: "pillion start db" brings it back/})
  const started = rig.run(['start', 'admin'])
  const db = await rig.driven('db')
  t.equal(db.env['V'], '1')
  const admin = await rig.driven('admin')
  t.match(await started, {code: 0, stdout: '✅  app started successfully: admin\n'})
  await admin.answer({body: 'admin'})
  await admin.listen()
  t.match(await shop.fetch('/v1.0/invoke/admin/method/x'), {status: 200, body: 'admin'})
  t.match(await rig.run(['stop', 'admin']), {code: 0})
  t.match(await shop.fetch('/v1.0/invoke/admin/method/x'), {status: 500, body: /stopped by/})
  t.match(await rig.run(['start', 'db']), {code: 0, stdout: '✅  app is already running: db\n'})
  t.same(await run.end('SIGINT'), {code: 0, signal: null})
})

t.test('up --run does not wait for what a profile leaves out', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'shop', command: ['sleep', '300']},
    {appID: 'admin', command: ['sleep', '300'], profiles: ['tools']}
  ])
  const {code, stdout, stderr} = await rig.run(['up', '--run', 'echo ran'])
  t.match({code, stdout}, {code: 0, stdout: 'ran\n'})
  t.notMatch(stderr, 'admin')
})

t.test('--profile and --only start them; restart and debug do, too', async t => {
  const rig = await openRig(t)
  await rig.template(APPS)
  const all = rig.pillion(['up', '--profile', 'store,tools'])
  await Promise.all([rig.driven('shop'), rig.driven('db')])
  await all.end('SIGINT')
  const only = rig.pillion(['up', '--only', 'admin'])
  const first = await rig.driven('db')
  t.equal(first.env['V'], '1')
  await only.end('SIGINT')
  const run = rig.pillion(['up'])
  await rig.driven('shop')
  await run.waitForLine('Writing log files')
  t.match(await rig.run(['restart', 'db']), {code: 0})
  await rig.driven('db')
  t.match(await rig.run(['debug', 'admin']), {code: 0, stdout: /^# admin, in /})
  t.match((await rig.run(['ps'])).stdout, /^admin +in debugger/m)
  t.same(await run.end('SIGINT'), {code: 0, signal: null})
})

t.test('what --only leaves out is a stopped app: start brings it in, after what it needs', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'shop'},
    {appID: 'db'},
    {appID: 'stock', dependsOn: {db: 'started'}, autoPort: true, replicas: 2},
    {appID: 'admin', profiles: ['tools']}
  ])
  const run = rig.pillion(['up', '--only', 'shop'])
  const shop = await rig.driven('shop')
  await run.waitForLine('Writing log files')
  t.match(await shop.fetch('/v1.0/invoke/stock/method/x'), {
    status: 500,
    body: /couldn't find service: stock \[not started: it is not one of --only; \\"pillion start stock\\" starts it\]/
  })
  const {stdout} = await rig.run(['ps'])
  t.match(stdout, /^shop +ready .*\ndb +stopped .*\nstock +stopped .*\nstock\.2 +stopped .*\nadmin +stopped /m)
  t.notMatch((await rig.run(['list'])).stdout, 'stock')
  t.match(
    (await rig.run(['why', 'admin'])).stdout,
    '"admin" was not started: it is not one of --only; "pillion start admin" starts it\n'
  )
  const started = rig.run(['start', 'stock'])
  await rig.driven('db')
  const instances = await Promise.all([rig.driven('stock'), rig.driven('stock')])
  t.match(await started, {code: 0, stdout: '✅  app started successfully: stock\n'})
  for (const instance of instances) await instance.answer({body: 'stock'})
  await Promise.all(instances.map(async instance => instance.listen()))
  t.match(await shop.fetch('/v1.0/invoke/stock/method/x'), {status: 200, body: 'stock'})
  t.match(await rig.run(['debug', 'admin']), {code: 0})
  t.same(await run.end('SIGINT'), {code: 0, signal: null})
})

t.test('edits: an app gets profiles, loses them, and changes once it was started', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop'}, {appID: 'db', env: {V: '1'}}])
  const run = rig.pillion(['up', '--watch'])
  await Promise.all([rig.driven('shop'), rig.driven('db')])
  await run.waitForLine('Writing log files', {nth: 2})
  await rig.template([{appID: 'shop'}, {appID: 'db', profiles: ['store'], env: {V: '2'}}])
  let table = ''
  while (stateOf(table, 'db') !== 'stopped') table = (await rig.run(['ps'])).stdout
  t.match(await rig.run(['start', 'db']), {code: 0})
  t.equal((await rig.driven('db')).env['V'], '2')
  await rig.template([{appID: 'shop'}, {appID: 'db', profiles: ['store'], env: {V: '3'}}])
  t.equal((await rig.driven('db')).env['V'], '3', 'a started one follows the template')
  t.same(await run.end('SIGINT'), {code: 0, signal: null})
})

t.test('what cannot be: an unknown profile, an app that needs one that is left out', async t => {
  const rig = await openRig(t)
  await rig.template(APPS)
  t.match(await rig.run(['up', '--profile', 'stor']), {
    code: 1,
    stderr: '❌  --profile names "stor", which no app of this template has\nDid you mean "store"? [wrong-value]\n'
  })
  const tools = await rig.run(['up', '--profile', 'tools'])
  t.match(tools, {
    code: 1,
    stdout:
      '❌  Error getting apps from config file: app "admin" depends on "db", which starts only with --profile store\n',
    stderr: /^dapr\.yaml:\d+:\d+\n.*\n +\^+\nadd the flag, or give admin the same profiles\n$/
  })
  t.match(await rig.run(['run', '--profile', 'x', '--', 'true']), {
    code: 1,
    stderr: /--profile selects apps of a run template/
  })
  await rig.template([{appID: 'shop'}])
  t.match(await rig.run(['up', '--profile', 'x']), {code: 1, stderr: /No app has profiles\./})
})

t.test('validate refuses a profile that no app has, as a run does', async t => {
  const rig = await openRig(t)
  await rig.template(APPS)
  const refused = {
    code: 1,
    stderr: '❌  --profile names "stor", which no app of this template has\nDid you mean "store"? [wrong-value]\n'
  }
  for (const args of [['up'], ['validate'], ['validate', '-o', 'json']])
    t.match(await rig.run([...args, '--profile', 'tools,store', '--profile', 'stor']), refused, args.join(' '))
  t.match(await rig.run(['validate', '--profile', 'tools,store']), {code: 0, stdout: /can run: 3 apps/})
})
