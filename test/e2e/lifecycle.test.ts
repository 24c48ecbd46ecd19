import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {openRig} from '../rig/rig.ts'

t.test('an .env file lies below env and above the shell', async t => {
  const rig = await openRig(t)
  await rig.write({'a/one.env': 'FROM_FILE=one\nBOTH=file\nSHELL_TOO=file\nLATER=one\n', 'a/two.env': 'LATER=two\n'})
  await rig.template([{appID: 'a', envFile: ['one.env', 'two.env'], env: {BOTH: 'env'}}])
  rig.pillion(['run', '-f', '.'], {env: {SHELL_TOO: 'shell', ONLY_SHELL: 'shell'}})
  const {env} = await rig.driven('a')
  t.match(env, {FROM_FILE: 'one', BOTH: 'env', SHELL_TOO: 'file', LATER: 'two', ONLY_SHELL: 'shell'})
})

t.test('an autoPort is given as APP_PORT and PORT, each app its own; so is an appPort', async t => {
  const rig = await openRig(t)
  const fixed = await freePort()
  await rig.template([
    {appID: 'a', autoPort: true},
    {appID: 'b', autoPort: true},
    {appID: 'c', appPort: fixed}
  ])
  rig.pillion(['run', '-f', '.'])
  const [a, b, c] = await Promise.all([rig.driven('a'), rig.driven('b'), rig.driven('c')])
  t.match(a.env['APP_PORT'], /^\d+$/)
  t.equal(a.env['PORT'], a.env['APP_PORT'])
  t.not(a.env['PORT'], b.env['PORT'])
  t.equal(await a.listen(), Number(a.env['PORT']))
  t.equal(c.env['APP_PORT'], fixed.toString())
  t.equal(c.env['PORT'], process.env['PORT'], 'an appPort: a second server of the app may listen at PORT')
})

t.test('an app is asked to end with the signal of its template', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', stop: {signal: 'SIGINT'}}])
  const run = rig.pillion(['run', '-f', '.'])
  const a = await rig.driven('a')
  await a.catchSignal('SIGINT')
  await a.catchSignal('SIGTERM')
  await run.waitForLine('Writing log files')
  run.signal('SIGTERM')
  t.equal(await a.nextSignal(), 'SIGINT')
  await a.exit(0)
  t.match(await run.exited, {code: 0})
})

t.test('ready by tcp: calls wait for the port', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  await rig.template([
    {appID: 'a', autoPort: true, ready: {tcp: port}},
    {appID: 'after', dependsOn: ['a']}
  ])
  rig.pillion(['run', '-f', '.'])
  const a = await rig.driven('a')
  await a.answer({})
  await a.listen()
  const {started, isStarted} = watched(rig.driven('after'))
  await a.fetch('/v1.0/healthz/outbound')
  t.notOk(isStarted(), 'its own port is not the one that is asked')
  await a.listen({port})
  await started
})

t.test('ready by http: an answer of 2xx or 3xx counts, another one does not', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'a', autoPort: true, ready: {http: '/healthz'}},
    {appID: 'after', dependsOn: ['a']}
  ])
  rig.pillion(['run', '-f', '.'])
  const a = await rig.driven('a')
  await a.listen()
  const {started, isStarted} = watched(rig.driven('after'))
  for (const status of [503, 404]) {
    const request = await a.nextRequest()
    t.match(request, {method: 'GET', url: '/healthz'})
    await request.reply({status})
  }
  const request = await a.nextRequest()
  t.notOk(isStarted())
  await request.reply({status: 204})
  await a.answer({})
  await started
})

t.test('ready by log: a line that matches, on either stream', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'a', ready: {log: 'listening on \\d+'}},
    {appID: 'b', ready: {log: '^up$'}},
    {appID: 'after', dependsOn: ['a', 'b']}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const [a, b] = await Promise.all([rig.driven('a'), rig.driven('b')])
  const {started, isStarted} = watched(rig.driven('after'))
  await a.print('listening on 80')
  await b.print('upper\nup\n', 'stderr')
  await run.waitForLine('== APP - b == up')
  t.notOk(isStarted(), 'a line without its end is no line yet')
  await a.print('80\n')
  await started
})

t.test('restart: on-failure starts a failed app again, not one that ended with 0; calls wait meanwhile', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'stock', autoPort: true, restart: 'on-failure'}, {appID: 'shop'}])
  const run = rig.pillion(['run', '-f', '.'])
  const [stock, shop] = await Promise.all([rig.driven('stock'), rig.driven('shop')])
  await stock.answer({body: 'first'})
  await stock.listen()
  t.match(await shop.fetch('/v1.0/invoke/stock/method/x'), {body: 'first'})
  await stock.exit(5)
  const call = shop.fetch('/v1.0/invoke/stock/method/x')
  const second = await rig.driven('stock')
  t.not(second.pid, stock.pid)
  t.equal(second.env['PORT'], stock.env['PORT'])
  t.not(second.env['PILLION_LIFE'], stock.env['PILLION_LIFE'])
  await second.answer({body: 'second'})
  await second.listen()
  t.match(await call, {status: 200, body: 'second'})
  await second.exit(0)
  await run.waitForLine('Exited App successfully')
  await shop.exit(0)
  t.match(await run.exited, {code: 0}, 'its last life ended with 0')
})

/** Whether a promise has settled, without waiting for it. */
function watched<T>(started: Promise<T>): {readonly started: Promise<T>; readonly isStarted: () => boolean} {
  let is = false
  void started.then(() => (is = true))
  return {started, isStarted: () => is}
}
