import {readdirSync, readFileSync} from 'node:fs'
import {createServer, type AddressInfo} from 'node:net'
import {join} from 'node:path'
import t from 'tap'
import {openRig} from '../rig/rig.ts'

const START = (folder: string, id: string): readonly RegExp[] => [
  new RegExp(`^ℹ️  Validating config and starting app "${id}"$`),
  new RegExp(`^ℹ️  Started Dapr with app id "${id}"\\. HTTP Port: \\d+\\. gRPC Port: \\d+$`),
  new RegExp(`^ℹ️  Writing log files to directory : ${folder}/${id}/\\.dapr/logs$`)
]

t.test('a template starts with three lines for each app, in its order, and ends on Ctrl-C with 0', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'order-processor', appPort: 0}, {appID: 'checkout'}])
  const run = rig.pillion(['run', '-f', '.'])
  await Promise.all([rig.driven('order-processor'), rig.driven('checkout')])
  await run.waitForLine('Writing log files', {nth: 2})
  run.signalGroup('SIGINT')
  t.same(await run.exited, {code: 0, signal: null})
  const expected = [
    ...START(rig.folder, 'order-processor'),
    ...START(rig.folder, 'checkout'),
    /^$/,
    /^ℹ️ {2}Received signal to stop Dapr and app processes\. Shutting down Dapr and app processes\.$/,
    /^$/,
    /^termination signal received: shutting down$/,
    /^$/,
    /^termination signal received: shutting down$/
  ]
  t.equal(run.stdout.lines.length, expected.length)
  expected.forEach((pattern, i) => t.match(run.stdout.lines[i], pattern))
  t.equal(run.stderr.text, '')
  t.same(await rig.leftovers(), [])
})

t.test('an app calls another one by name, by URL and by header, through its own sidecar', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'stock', autoPort: true}, {appID: 'shop'}])
  rig.pillion(['run', '-f', '.'])
  const [stock, shop] = await Promise.all([rig.driven('stock'), rig.driven('shop')])
  await stock.answer({status: 201, body: 'reserved'})
  await stock.listen()
  const byUrl = await shop.fetch('/v1.0/invoke/stock/method/items/7?n=2', {method: 'POST', body: 'pear'})
  t.match(byUrl, {status: 201, body: 'reserved'})
  const byHeader = await shop.fetch('/items/7', {headers: {'dapr-app-id': 'stock'}})
  t.match(byHeader, {status: 201, body: 'reserved'})
})

t.test('the first call to an app that is still starting waits for it', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'stock', autoPort: true}, {appID: 'shop'}])
  rig.pillion(['run', '-f', '.'])
  const [stock, shop] = await Promise.all([rig.driven('stock'), rig.driven('shop')])
  const call = shop.fetch('/v1.0/invoke/stock/method/early')
  await stock.listen()
  const request = await stock.nextRequest()
  t.equal(request.url, '/early')
  await request.reply({status: 200, body: 'in time'})
  t.match(await call, {status: 200, body: 'in time'})
})

t.test('a caller of an app that has ended hears why', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'stock', autoPort: true}, {appID: 'shop'}])
  const run = rig.pillion(['run', '-f', '.'])
  const [stock, shop] = await Promise.all([rig.driven('stock'), rig.driven('shop')])
  await stock.print('no pears left\n', 'stderr')
  await stock.exit(3)
  await run.waitForLine('The App process exited with error code: exit status 3')
  const answer = await shop.fetch('/v1.0/invoke/stock/method/x')
  t.equal(answer.status, 500)
  const {errorCode, message} = JSON.parse(answer.body) as {errorCode: string; message: string}
  t.equal(errorCode, 'ERR_DIRECT_INVOKE')
  t.match(
    message,
    /^failed to invoke, id: stock, err: rpc error: code = Internal desc = error invoking app channel: Get "http:\/\/127\.0\.0\.1:\d+\/x": dial tcp 127\.0\.0\.1:\d+: connect: connection refused \("stock" exited with code 3 at \d\d:\d\d:\d\d: no pears left\)$/
  )
  const unknown = await shop.fetch('/v1.0/invoke/stok/method/x')
  t.match(
    (JSON.parse(unknown.body) as {message: string}).message,
    /couldn't find service: stok \(no app "stok" runs here; did you mean "stock"\?; running: stock, shop\)$/
  )
})

t.test('lines are prefixed on the console and in the log files', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'stock'}])
  const run = rig.pillion(['run', '-f', '.'])
  const stock = await rig.driven('stock')
  await stock.print('one\r\ntwo\n')
  await stock.print('wa')
  await stock.print('ter \x1b[31mred\x1b[0m\n')
  await stock.print('on stderr\n', 'stderr')
  await run.waitForLine('== APP - stock == water red')
  await run.waitForLine('on stderr')
  await stock.print('the last, without a newline')
  await stock.exit(0)
  t.same(await run.exited, {code: 0, signal: null})
  const logs = join(rig.folder, 'stock/.dapr/logs')
  const appFile = readdirSync(logs).find(name => /^stock_app_\d{14}\.log$/.test(name)) ?? ''
  t.ok(readdirSync(logs).some(name => /^stock_daprd_\d{14}\.log$/.test(name)))
  const lines = readFileSync(join(logs, appFile), 'utf8').split('\n')
  for (const line of [
    '== APP - stock == one',
    '== APP - stock == two',
    '== APP - stock == water red',
    '== APP - stock == on stderr',
    '== APP - stock == the last, without a newline',
    'Exited App successfully'
  ]) {
    t.ok(lines.includes(line), `${line} in the file`)
    t.ok(run.stdout.lines.includes(line), `${line} on the console`)
  }
})

t.test('a run ends by itself when all apps have ended: 0 if all did well, else 1', async t => {
  for (const [codes, expected] of [
    [[0, 0], 0],
    [[0, 3], 1]
  ] as const) {
    const rig = await openRig(t)
    await rig.template([{appID: 'a'}, {appID: 'b'}])
    const run = rig.pillion(['run', '-f', '.'])
    const [a, b] = await Promise.all([rig.driven('a'), rig.driven('b')])
    await a.exit(codes[0])
    await run.waitForLine('Exited App successfully')
    await b.exit(codes[1])
    t.same(await run.exited, {code: expected, signal: null}, codes.join())
    t.notMatch(run.stdout.text, /Received signal/)
  }
})

t.test('a taken port of a sidecar is told before anything starts', async t => {
  const rig = await openRig(t)
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const {port} = server.address() as AddressInfo
  await rig.template([{appID: 'a'}, {appID: 'b', daprHTTPPort: port}])
  const {code, stdout, stderr} = await rig.run(['run', '-f', '.'])
  t.equal(code, 1)
  t.equal(stdout, '')
  const [line, place = '', , , explanation] = stderr.split('\n')
  t.equal(
    line,
    `❌  Error validating run config for app "b" present in dapr.yaml: invalid configuration for HTTPPort. Port ${port} is not available`
  )
  t.match(place, /^dapr\.yaml:\d+:\d+$/)
  t.match(explanation, new RegExp(`^Port ${port}: it is held by .* \\(pid ${process.pid}\\)\\.`))
})
