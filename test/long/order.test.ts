import t from 'tap'
import {openRig} from '../rig/rig.ts'

t.test('an app starts when those it depends on are ready, and prints its lines then', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'shop', dependsOn: ['stock']},
    {appID: 'stock', autoPort: true},
    {appID: 'mail', dependsOn: {stock: 'started'}}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const [stock] = await Promise.all([rig.driven('stock'), rig.driven('mail')])
  await run.waitForLine('Writing log files', {nth: 2})
  t.same(started(run.stdout.lines), ['stock', 'mail'])
  await stock.listen()
  await rig.driven('shop')
  await run.waitForLine('Writing log files', {nth: 3})
  t.same(started(run.stdout.lines), ['stock', 'mail', 'shop'])
  t.equal(run.stderr.text, '')
  t.match(await run.end('SIGINT'), {code: 0})
})

const started = (lines: readonly string[]): readonly string[] =>
  lines.flatMap(line => /Started Dapr with app id "(.*)"\. HTTP/.exec(line)?.[1] ?? [])

t.test('an app that waits holds up nobody but those who wait for it', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'slow', autoPort: true},
    {appID: 'quick', autoPort: true},
    {appID: 'after-slow', dependsOn: ['slow']},
    {appID: 'after-quick', dependsOn: ['quick']},
    {appID: 'last', dependsOn: {'after-quick': 'ready', slow: 'started'}}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const [slow, quick] = await Promise.all([rig.driven('slow'), rig.driven('quick')])
  await quick.listen()
  await Promise.all([rig.driven('after-quick'), rig.driven('last')])
  t.notOk(started(run.stdout.lines).includes('after-slow'))
  await slow.listen()
  await rig.driven('after-slow')
})

t.test('completed means ended with 0', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'migrate'}, {appID: 'shop', dependsOn: {migrate: 'completed'}}])
  const run = rig.pillion(['run', '-f', '.'])
  const migrate = await rig.driven('migrate')
  await run.waitForLine('Writing log files')
  await migrate.exit(0)
  const shop = await rig.driven('shop')
  await shop.exit(0)
  t.same(await run.exited, {code: 0, signal: null})
  t.equal(run.stderr.text, '')
})

t.test('where a dependency fails, its dependents do not start: callers hear it, and the run ends with 1', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'migrate'},
    {appID: 'shop', autoPort: true, dependsOn: {migrate: 'completed'}},
    {appID: 'page', dependsOn: ['shop']},
    {appID: 'tester'}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const [migrate, tester] = await Promise.all([rig.driven('migrate'), rig.driven('tester')])
  await migrate.exit(3)
  const why = '"shop" was not started: it depends on "migrate" completing, but "migrate" exited with code 3'
  await run.waitForLine(`⚠  ${why}`, {stream: 'stderr'})
  await run.waitForLine('⚠  "page" was not started: it depends on "shop" becoming ready, but "shop" was not started', {
    stream: 'stderr'
  })
  const {body} = await tester.fetch('/v1.0/invoke/shop/method/x')
  t.match((JSON.parse(body) as {message: string}).message, `connection refused (${why})`)
  await tester.exit(0)
  t.same(await run.exited, {code: 1, signal: null})
  t.same(started(run.stdout.lines), ['migrate', 'tester'])
})

t.test('a call to an app that waits is held, and hears what it waits for when it has waited too long', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'stock', autoPort: true},
    {appID: 'shop', autoPort: true, dependsOn: ['stock'], ready: {timeout: '1s'}},
    {appID: 'patient', autoPort: true, dependsOn: ['stock']},
    {appID: 'tester'}
  ])
  rig.pillion(['run', '-f', '.'])
  const [stock, tester] = await Promise.all([rig.driven('stock'), rig.driven('tester')])
  const {body} = await tester.fetch('/v1.0/invoke/shop/method/x')
  t.match(
    (JSON.parse(body) as {message: string}).message,
    '(waited 1 s; "shop" is not started yet: it waits until "stock" is ready)'
  )
  const call = tester.fetch('/v1.0/invoke/patient/method/y')
  await stock.listen()
  const patient = await rig.driven('patient')
  await patient.answer({body: 'here'})
  await patient.listen()
  t.match(await call, {status: 200, body: 'here'})
})

t.test('a run whose apps wait can be stopped, and what waits is never started', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'stock', autoPort: true},
    {appID: 'shop', dependsOn: ['stock']}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  await rig.driven('stock')
  await run.waitForLine('Writing log files')
  t.match(await rig.run(['stop', '-f', '.']), {code: 0})
  t.same(await run.exited, {code: 0, signal: null})
  t.same(started(run.stdout.lines), ['stock'])
  t.equal(run.stderr.text, '')
  t.same(await rig.leftovers(), [])
})

t.test('an app that waits can be stopped alone: it is never started, and that is no failure', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'stock', autoPort: true},
    {appID: 'shop', dependsOn: ['stock']}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const stock = await rig.driven('stock')
  await run.waitForLine('Writing log files')
  t.match(await rig.run(['stop', '--app-id', 'shop']), {code: 0, stdout: '✅  app stopped successfully: shop\n'})
  await stock.listen()
  await stock.exit(0)
  t.same(await run.exited, {code: 0, signal: null})
  t.same(started(run.stdout.lines), ['stock'])
  t.equal(run.stderr.text, '')
})

t.test('where a dependency is stopped, what waits for it is not started, and the run ends with 1', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'stock', autoPort: true}, {appID: 'shop', dependsOn: ['stock']}, {appID: 'tester'}])
  const run = rig.pillion(['run', '-f', '.'])
  const [tester] = await Promise.all([rig.driven('tester'), rig.driven('stock')])
  await run.waitForLine('Writing log files', {nth: 2})
  t.match(await rig.run(['stop', '--app-id', 'stock']), {code: 0})
  await run.waitForLine('⚠  "shop" was not started: it depends on "stock" becoming ready, but "stock" was stopped', {
    stream: 'stderr'
  })
  await tester.exit(0)
  t.same(await run.exited, {code: 1, signal: null})
})

t.test('run --only starts these apps and what they depend on', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'stock'},
    {appID: 'shop', dependsOn: ['stock']},
    {appID: 'mail'},
    {appID: 'page', dependsOn: ['shop']}
  ])
  const run = rig.pillion(['run', '-f', '.', '--only', 'shop,mail'])
  await Promise.all(['stock', 'shop', 'mail'].map(async id => rig.driven(id)))
  await run.waitForLine('Writing log files', {nth: 3})
  t.same(started(run.stdout.lines), ['stock', 'mail', 'shop'])
  t.match(run.stdout.lines[0], /^ℹ️ {2}Validating/, 'it is not named as a flag that is ignored')
  t.equal(run.stderr.text, '')
})

t.test('run --only refuses an id that no app has, and wants a template', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'stock'}])
  t.same(await rig.run(['run', '-f', '.', '--only', 'stok']), {
    code: 1,
    stdout: '',
    stderr: '❌  --only names "stok", which is not an app of this template\nDid you mean "stock"? [no-such-app]\n'
  })
  t.match(await rig.run(['run', '--only', 'a', '--', 'true']), {code: 1, stderr: /^❌ {2}--only selects apps/})
})
