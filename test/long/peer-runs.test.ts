import t from 'tap'
import {openRig} from '../rig/rig.ts'

const messageIn = (body: string): string => (JSON.parse(body) as {message: string}).message

t.test('two runs call each other, one ends, a new one takes its place', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', autoPort: true}])
  const first = rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  await shop.listen()
  const second = rig.pillion(['run', '-a', 'stock', '-p', '0', '--', ...rig.drivenCommand])
  const quiet = await rig.driven('stock')
  t.match(
    messageIn((await shop.fetch('/v1.0/invoke/stock/method/items')).body),
    /failed to invoke, id: stock, err: rpc error: code = Internal desc = app channel is not initialized \("stock" has no appPort: nothing can be called there\)$/,
    'what the sidecar of the callee says comes through'
  )
  second.signal('SIGTERM')
  await Promise.all([second.exited, quiet.closed])

  const template = {version: 1, apps: [{appID: 'stock', appDirPath: '.', autoPort: true, command: rig.drivenCommand}]}
  await rig.write({'other/dapr.yaml': JSON.stringify(template)})
  const third = rig.pillion(['run', '-f', 'other'])
  const stock = await rig.driven('stock')
  await stock.listen()
  const there = shop.fetch('/v1.0/invoke/stock/method/items/7?n=2', {
    method: 'POST',
    body: 'pear',
    headers: {'dapr-caller-app-id': 'spoofed', 'pillion-caller': 'x/default/spoofed'}
  })
  const request = await stock.nextRequest()
  t.match(request, {method: 'POST', url: '/items/7?n=2', body: 'pear'})
  t.match(request.headers, {
    'dapr-caller-app-id': 'shop',
    'dapr-callee-app-id': 'stock',
    'dapr-caller-namespace': 'default'
  })
  t.notOk(request.headers['pillion-caller'], 'what runs say to each other stays between them')
  t.equal(request.headers['x-forwarded-host']?.split(',').length, 1)
  await request.reply({status: 201, body: 'reserved'})
  t.match(await there, {status: 201, body: 'reserved'})

  const back = stock.fetch('/orders', {headers: {'dapr-app-id': 'shop'}})
  const answered = await shop.nextRequest()
  t.equal(answered.url, '/orders')
  t.equal(answered.headers['dapr-caller-app-id'], 'stock')
  await answered.reply({body: 'in the other direction'})
  t.match(await back, {body: 'in the other direction'})

  await third.end()
  const gone = await shop.fetch('/v1.0/invoke/stock/method/items')
  t.equal(gone.status, 500)
  t.match(messageIn(gone.body), /couldn't find service: stock \(no app "stock" runs here; running: shop\)$/)

  rig.pillion(['run', '-f', 'other'])
  const newStock = await rig.driven('stock')
  await newStock.answer({body: 'the new one'})
  await newStock.listen()
  t.match(await shop.fetch('/v1.0/invoke/stock/method/items'), {status: 200, body: 'the new one'})
  t.match(await first.end(), {code: 0})
})

t.test('an app of the own run goes first, then those of all other runs in turn', async t => {
  const rig = await openRig(t)
  const start = async (id: string): Promise<Awaited<ReturnType<typeof rig.driven>>> => {
    const run = rig.pillion(['run', '-a', id, '--app-port', '0', '--', ...rig.drivenCommand])
    const app = await rig.driven(id)
    await run.waitForLine("You're up and running!")
    return app
  }
  const template = (name: string): string =>
    JSON.stringify({
      version: 1,
      apps: [{appID: 'stock', appDirPath: '.', autoPort: true, command: rig.drivenCommand, env: {WHO: name}}]
    })
  await rig.write({'a/dapr.yaml': template('a'), 'b/dapr.yaml': template('b')})
  for (const name of ['a', 'b']) {
    rig.pillion(['run', '-f', name])
    const stock = await rig.driven('stock')
    await stock.answer({body: name})
    await stock.listen()
    if (name === 'b') t.match(await stock.fetch('/v1.0/invoke/stock/method/x'), {body: 'b'}, 'its own run goes first')
  }
  const shop = await start('shop')
  const asked = async (): Promise<string> => (await shop.fetch('/v1.0/invoke/stock/method/x')).body
  t.same([await asked(), await asked(), await asked(), await asked()], ['a', 'b', 'a', 'b'], 'each run in turn')
})

t.test('the error for an unknown id names what runs elsewhere, and is quick', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'stock'}])
  rig.pillion(['run', '-f', '.'])
  rig.pillion(['run', '-a', 'shop', '--', ...rig.drivenCommand])
  const [, shop] = await Promise.all([rig.driven('stock'), rig.driven('shop')])
  const {status, body} = await shop.fetch('/v1.0/invoke/stok/method/x')
  t.equal(status, 500)
  t.match(
    messageIn(body),
    /couldn't find service: stok \(no app "stok" runs here; did you mean "stock"\?; running: shop; in other runs: stock\)$/
  )
})

t.test('a call to an app that is stopped in another run hears so, and how it comes back', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop'}])
  rig.pillion(['run', '-f', '.'])
  const apps = ['stock', 'other'].map(appID => ({appID, appDirPath: '.', autoPort: true, command: rig.drivenCommand}))
  await rig.write({'other/dapr.yaml': JSON.stringify({version: 1, apps})})
  rig.pillion(['run', '-f', 'other'])
  const [shop, stock] = await Promise.all([rig.driven('shop'), rig.driven('stock'), rig.driven('other')])
  await stock.listen()
  t.match(await rig.run(['stop', 'stock']), {code: 0})
  const stopped = `couldn't find service: stock [stopped by "pillion stop"; "pillion start stock" brings it back]`
  t.equal(
    messageIn((await shop.fetch('/v1.0/invoke/stock/method/items')).body),
    `failed to invoke, id: stock, err: ${stopped}`
  )
  t.match(await rig.run(['start', 'stock'], {folder: 'other'}), {code: 0})
  const again = await rig.driven('stock')
  await again.listen()
  await again.answer({body: 'back'})
  t.match(await shop.fetch('/v1.0/invoke/stock/method/items'), {status: 200, body: 'back'})
})

t.test("the token of the callee's sidecar holds for callers of other runs", async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'stock', autoPort: true}])
  rig.pillion(['run', '-f', '.'], {env: {DAPR_API_TOKEN: 'secret', APP_API_TOKEN: 'for the app'}})
  const stock = await rig.driven('stock')
  await stock.listen()
  rig.pillion(['run', '-a', 'stranger', '--', ...rig.drivenCommand])
  rig.pillion(['run', '-a', 'friend', '--', ...rig.drivenCommand], {env: {DAPR_API_TOKEN: 'secret'}})
  const [foreignListener, friend] = await Promise.all([rig.driven('stranger'), rig.driven('friend')])
  t.match(await foreignListener.fetch('/v1.0/invoke/stock/method/x'), {status: 401})
  const call = friend.fetch('/v1.0/invoke/stock/method/x', {headers: {'dapr-api-token': 'secret'}})
  const request = await stock.nextRequest()
  t.equal(request.headers['dapr-api-token'], 'for the app', 'the app gets its own token, not the sidecar’s')
  await request.reply()
  t.match(await call, {status: 200})
})

t.test('a call waits in the queue of the other run while the app starts', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'stock', autoPort: true}])
  rig.pillion(['run', '-f', '.'])
  rig.pillion(['run', '-a', 'shop', '--', ...rig.drivenCommand])
  const [stock, shop] = await Promise.all([rig.driven('stock'), rig.driven('shop')])
  const call = shop.fetch('/v1.0/invoke/stock/method/early')
  await stock.listen()
  const request = await stock.nextRequest()
  await request.reply({body: 'in time'})
  t.match(await call, {status: 200, body: 'in time'})
})

t.test('a sidecar that stop has closed is found no more, and a frozen run holds nobody up for long', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'stock', autoPort: true}, {appID: 'other'}])
  const run = rig.pillion(['run', '-f', '.'])
  rig.pillion(['run', '-a', 'shop', '--', ...rig.drivenCommand])
  const [stock, shop] = await Promise.all([rig.driven('stock'), rig.driven('shop')])
  await stock.answer({body: 'here'})
  await stock.listen()
  t.match(await shop.fetch('/v1.0/invoke/stock/method/x'), {body: 'here'})
  t.match(await rig.run(['stop', 'stock']), {code: 0})
  t.match(messageIn((await shop.fetch('/v1.0/invoke/stock/method/x')).body), /"pillion start stock" brings it back\]$/)
  run.signal('SIGSTOP')
  t.match(messageIn((await shop.fetch('/v1.0/invoke/stock/method/x')).body), /running: shop\)$/)
  t.match(messageIn((await shop.fetch('/v1.0/invoke/stock/method/y')).body), /running: shop\)$/)
  run.signal('SIGCONT')
})

t.test('paths, bodies and answers come through another run as they do within one', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop'}, {appID: 'near', autoPort: true}])
  rig.pillion(['run', '-f', '.'])
  const template = {
    version: 1,
    apps: [{appID: 'far away', appDirPath: '.', autoPort: true, command: rig.drivenCommand}]
  }
  await rig.write({'other/dapr.yaml': JSON.stringify(template)})
  rig.pillion(['run', '-f', 'other'])
  const [shop, near, remote] = await Promise.all([rig.driven('shop'), rig.driven('near'), rig.driven('far away')])
  await Promise.all([near.listen(), remote.listen()])
  for (const [method, options] of [
    ['caf%C3%A9%20au%20lait?a=1&b=%20%2F', {}],
    ['a%2Fb/../c', {}],
    ['100%2525', {}],
    ['with/basic', {headers: {authorization: `Basic ${btoa('user:password')}`, 'x-mine': 'ü', baggage: 'a=1'}}],
    ['big', {method: 'PUT', body: 'x'.repeat(1_000_000)}],
    ['verb', {method: 'DELETE', body: 'why'}]
  ] as const) {
    const seen = []
    for (const [id, app] of [
      ['near', near],
      ['far%20away', remote]
    ] as const) {
      const answer = shop.fetch(`/v1.0/invoke/${id}/method/${method}`, options)
      const request = await app.nextRequest()
      const {'x-mine': mine, authorization, 'dapr-caller-app-id': caller} = request.headers
      seen.push({...request, headers: {mine, authorization, caller}, reply: undefined})
      await request.reply({status: 418, headers: {'x-answer': id, 'set-cookie': 'a=b'}, body: 'short and stout'})
      t.match(await answer, {status: 418, headers: {'x-answer': id, 'set-cookie': 'a=b'}, body: 'short and stout'})
    }
    t.same(seen[1], seen[0], method.slice(0, 40))
  }
})
