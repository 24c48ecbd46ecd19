import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {openRig} from '../rig/rig.ts'

const TWO = [{appID: 'payments', autoPort: true}, {appID: 'checkout'}]

t.test('a crash is told with code, age, its call, and the line that says most; its caller hears the same', async t => {
  const rig = await openRig(t)
  await rig.template(TWO)
  const run = rig.pillion(['run', '-f', '.'])
  const [payments, checkout] = await Promise.all([rig.driven('payments'), rig.driven('checkout')])
  await payments.listen()
  const call = checkout.fetch('/v1.0/invoke/payments/method/charge?n=1', {method: 'POST', body: 'card'})
  await payments.nextRequest()
  await payments.configured
  await payments.print(
    'listening\n/app/pay.js:3\n  throw new Error()\n  ^\n\n\x1b[31mError: out of cards\x1b[0m\n    at pay (/app/pay.js:3:9)\n\nNode.js v22.0.0\n',
    'stderr'
  )
  await payments.exit(7)
  const line = await run.waitForLine('⚠', {stream: 'stderr'})
  t.match(
    line,
    /^⚠ {2}"payments" exited with code 7 after \d+(\.\d)? m?s while handling POST \/charge from checkout \([\d.]+ m?s\)$/
  )
  await run.waitForLine('pillion why', {stream: 'stderr'})
  t.same(run.stderr.lines.slice(1), ['    Error: out of cards', '    pillion why 1 shows what was sent'])
  const {status, body} = await call
  t.equal(status, 500)
  t.match(
    (JSON.parse(body) as {message: string}).message,
    /EOF \("payments" exited with code 7 at [\d:]+: Error: out of cards\)$/
  )
  await run.waitForLine(/^The App process exited with error code: exit status 7$/)
})

t.test('a compiler tells on stdout what is wrong, and so does the crash', async t => {
  const rig = await openRig(t)
  const script = 'echo "bad.ts(1,7): error TS2322: no number"; echo "npm warn x" >&2; exit 2'
  await rig.template([{appID: 'build', command: ['sh', '-c', script]}])
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('    bad.ts(1,7): error TS2322: no number', {stream: 'stderr'})
})

t.test('the health of a sidecar is that of its first readiness, also in a replacement and after a death', async t => {
  const rig = await openRig(t)
  await rig.template(TWO)
  const run = rig.pillion(['run', '-f', '.'])
  const [first, checkout] = await Promise.all([rig.driven('payments'), rig.driven('checkout')])
  const port = /HTTP Port: (\d+)/.exec(await run.waitForLine('Started Dapr with app id "payments"'))?.[1] ?? ''
  const health = async (): Promise<number> => (await checkout.fetch(`http://127.0.0.1:${port}/v1.0/healthz`)).status
  t.equal(await health(), 500, 'the app does not listen yet')
  await first.listen()
  await first.configured
  t.equal(await health(), 204)
  const restarted = rig.run(['restart', 'payments'])
  const payments = await rig.driven('payments')
  t.equal(await health(), 204, 'the next one does not listen yet')
  await payments.listen()
  t.match(await restarted, {code: 0})
  await payments.exit(7)
  await run.waitForLine('exited with code 7', {stream: 'stderr'})
  t.equal(await health(), 204)
})

t.test('a crash that happens again and again is a loop from its third time on, told at each doubling', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'worker', restart: 'on-failure'}])
  const run = rig.pillion(['run', '-f', '.'])
  for (let life = 1; life <= 6; life++) {
    const worker = await rig.driven('worker')
    await worker.print(`Error: no queue at port ${5000 + life}\n`, 'stderr')
    await worker.exit(1)
  }
  const worker = await rig.driven('worker')
  await worker.print('Error: something else\n', 'stderr')
  await worker.exit(1)
  await run.waitForLine('something else', {stream: 'stderr'})
  t.same(
    run.stderr.lines.map(line =>
      line.replace(/after [\d.]+ m?s/, 'after a while').replace(/times in .*$/, 'times in a while')
    ),
    [
      '⚠  "worker" exited with code 1 after a while, restarting in 100 ms',
      '    Error: no queue at port 5001',
      '⚠  "worker" exited with code 1 after a while, restarting in 200 ms',
      '⚠  "worker" keeps exiting: 3 times in a while',
      '    Error: no queue at port 5003',
      '⚠  "worker" keeps exiting: 6 times in a while',
      '    Error: no queue at port 5006',
      '⚠  "worker" exited with code 1 after a while, restarting in 6.4 s',
      '    Error: something else'
    ]
  )
})

const BELOW_LAUNCHER = `
require('node:http').createServer((request, response) => {
  if (request.method === 'POST') throw new Error('out of tea')
  response.end('tea')
}).listen(process.env.PORT)`

t.test('a server that crashes below a launcher that stays: its state, its error and its request are told', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  await rig.write({
    'server.cjs': BELOW_LAUNCHER,
    'pillion.yaml': JSON.stringify({
      version: 1,
      apps: [{id: 'api', dir: '.', port, command: ['node', '--watch', 'server.cjs']}]
    })
  })
  const run = rig.pillion(['up'])
  await run.waitForLine('api ready')
  const events = rig.pillion(['events', '-f'])
  t.equal((await fetch(`http://localhost:${port}/`)).status, 200)
  t.equal((await fetch(`http://localhost:${port}/orders`, {method: 'POST'})).status, 502)
  await events.waitForLine(/api {2}not ready/)
  const {stdout} = await rig.run(['why'])
  t.match(stdout, /^"api" is running but not ready: Error: out of tea: it does not listen on any port;/)
  t.match(stdout, /^ {2}the latest: POST \/orders from outside: EOF \(pillion calls 2\)$/m)
  await rig.write({'server.cjs': BELOW_LAUNCHER.replace('throw', 'void')})
  t.equal((await fetch(`http://localhost:${port}/`)).status, 200, 'it waits for the next server')
})
