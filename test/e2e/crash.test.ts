import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {openRig} from '../rig/rig.ts'

const TWO = [{appID: 'payments', autoPort: true}, {appID: 'checkout'}]

t.test(
  'a crash is told with code, age, the call that was in it, and the line that says most; its caller hears the same',
  async t => {
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
  }
)

t.test('a compiler tells on stdout what is wrong, and so does the crash', async t => {
  const rig = await openRig(t)
  const script = 'echo "bad.ts(1,7): error TS2322: no number"; echo "npm warn x" >&2; exit 2'
  await rig.template([{appID: 'build', command: ['sh', '-c', script]}])
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('    bad.ts(1,7): error TS2322: no number', {stream: 'stderr'})
})

t.test('its caller hears how the callee ended also while something of it is still being ended', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'payments', autoPort: true, stop: {timeout: '1s'}}, {appID: 'checkout'}])
  rig.pillion(['run', '-f', '.'])
  const [payments, checkout] = await Promise.all([rig.driven('payments'), rig.driven('checkout')])
  await payments.listen()
  await payments.spawn({ignoresTerm: true})
  const call = checkout.fetch('/v1.0/invoke/payments/method/charge', {method: 'POST'})
  await payments.nextRequest()
  await payments.exit(7)
  t.match((await call).body, /EOF \(\\"payments\\" exited with code 7 at [\d:]+\)/)
})

t.test('its caller hears how the callee ended also when the callee was restarted before', async t => {
  const rig = await openRig(t)
  await rig.template(TWO)
  rig.pillion(['run', '-f', '.'])
  const [first, checkout] = await Promise.all([rig.driven('payments'), rig.driven('checkout')])
  await first.listen()
  const restarted = rig.run(['restart', 'payments'])
  const payments = await rig.driven('payments')
  await payments.listen()
  t.match(await restarted, {code: 0})
  const call = checkout.fetch('/v1.0/invoke/payments/method/charge', {method: 'POST'})
  await payments.nextRequest()
  await payments.exit(7)
  t.match((await call).body, /EOF \(\\"payments\\" exited with code 7 at [\d:]+\)/)
})

t.test(
  'the health of a sidecar is that of its first readiness, also while its app is replaced, and after it has died',
  async t => {
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
  }
)

t.test('a call that goes a second time, on a new connection, was in the crash all the same', async t => {
  const rig = await openRig(t)
  await rig.template(TWO)
  const run = rig.pillion(['run', '-f', '.'])
  const [payments, checkout] = await Promise.all([rig.driven('payments'), rig.driven('checkout')])
  await payments.listen()
  const first = checkout.fetch('/v1.0/invoke/payments/method/first')
  await (await payments.nextRequest()).reply()
  t.match(await first, {status: 200})
  await payments.configured
  const call = checkout.fetch('/v1.0/invoke/payments/method/second')
  await payments.nextRequest()
  await payments.die('SIGKILL')
  t.match(
    await run.waitForLine('⚠', {stream: 'stderr'}),
    /^⚠ {2}"payments" was ended by SIGKILL after \S+ m?s while handling GET \/second from checkout \([\d.]+ m?s\)$/
  )
  t.match(await call, {status: 500})
})

t.test(
  'a crash that happens again and again is a loop from its third time on, told again when that has doubled',
  async t => {
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
  }
)

t.test('several calls are listed, the one that began last first, five at most', async t => {
  const rig = await openRig(t)
  await rig.template(TWO)
  const run = rig.pillion(['run', '-f', '.'])
  const [payments, checkout] = await Promise.all([rig.driven('payments'), rig.driven('checkout')])
  await payments.listen()
  for (const number of [1, 2, 3, 4, 5, 6, 7]) {
    void checkout.fetch(`/v1.0/invoke/payments/method/${number}`, {method: 'POST'}).catch(() => undefined)
    await payments.nextRequest()
  }
  await payments.configured
  await payments.exit(1)
  await run.waitForLine('pillion why', {stream: 'stderr'})
  t.match(run.stderr.lines[0], /after .* while handling 7 calls$/)
  t.same(
    run.stderr.lines.slice(1).map(line => line.replace(/\(.*\)/, '')),
    [
      ...[7, 6, 5, 4, 3].map(number => `    POST /${number} from checkout `),
      '    and 2 more',
      '    pillion why 1 shows what was sent'
    ]
  )
})

t.test('answered calls are no part of a crash, and an end with 0 or one that was asked for is none', async t => {
  const rig = await openRig(t)
  await rig.template([...TWO, {appID: 'third'}])
  const run = rig.pillion(['run', '-f', '.'])
  const [payments, checkout, third] = await Promise.all(
    TWO.map(({appID}) => rig.driven(appID)).concat(rig.driven('third'))
  )
  if (payments === undefined || checkout === undefined || third === undefined) throw new Error('three apps')
  await payments.answer({body: 'paid'})
  await payments.listen()
  t.match(await checkout.fetch('/v1.0/invoke/payments/method/charge', {method: 'POST'}), {body: 'paid'})
  await third.exit(0)
  await run.waitForLine('Exited App successfully')
  t.equal(run.stderr.text, '')
  await payments.configured
  await payments.exit(1)
  t.match(await run.waitForLine('⚠', {stream: 'stderr'}), /^⚠ {2}"payments" exited with code 1 after \S+ m?s$/)
  run.signal('SIGINT')
  t.match(await run.exited, {code: 0})
  t.equal(run.stderr.lines.length, 1)
})

t.test('of a single app that crashed the calls in it are told, and nothing more', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  for (const hasCall of [true, false]) {
    const run = rig.pillion(['run', '-a', 'payments', '-p', port.toString(), '--', ...rig.drivenCommand])
    const payments = await rig.driven('payments')
    await payments.listen()
    const {http} = await run.ports('payments')
    if (hasCall) {
      const url = `http://127.0.0.1:${http}/v1.0/invoke/payments/method/charge`
      void fetch(url, {method: 'POST'}).catch(() => undefined)
      await payments.nextRequest()
    }
    await payments.configured
    await payments.print('out of cards\n', 'stderr')
    await payments.exit(3)
    t.match(await run.exited, {code: 1})
    t.equal(run.stderr.lines.filter(line => /^⚠ .*while handling POST \/charge/.test(line)).length, hasCall ? 1 : 0)
    t.equal(run.stderr.lines.length, hasCall ? 4 : 3, run.stderr.lines.join('\n'))
  }
})
