import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {openRig} from '../rig/rig.ts'

const TWO = [{appID: 'payments', autoPort: true}, {appID: 'checkout'}]

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
  t.match(await run.end('SIGINT'), {code: 0})
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
