import t from 'tap'
import {openOtelShop} from '../rig/otel-shop.ts'

t.test('40 orders through five services, SDKs in three of them: each span is in its place, none twice', async t => {
  const {run, url, tree} = await openOtelShop(t, {
    user: ['plain'],
    web: ['sdk', 'shop'],
    shop: ['plain', 'stock', 'bank'],
    stock: ['sdk', 'prices'],
    bank: ['sdk'],
    prices: ['plain']
  })
  // called by the sidecar of another app: as far as that knows the caller is no app that answers something
  const web = await url('user web', '/orders/')
  const ORDERS = 40
  const LANES = 8
  let next = 100
  const lane = async (): Promise<void> => {
    while (next < 100 + ORDERS) await (await fetch(`${web}${next++}`)).text()
  }
  await Promise.all(Array.from({length: LANES}, lane))
  await run.waitForLine('told of', {nth: 3 * ORDERS})
  const seen = new Set<string>()
  for (let order = 100; order < 100 + ORDERS; order++) {
    const {nodes} = await tree(`to:web path:/orders/${order}`)
    t.strictSame(
      nodes.map(({depth, kind, from, what, spans}) => [
        depth,
        kind,
        from,
        what.replace(/.*\/(?=\d)/, ''),
        spans.map(({app, kind: side}) => `${app} ${side}`).join()
      ]),
      [
        [0, 'call', 'user', `${order}`, 'web server'],
        [1, 'span', 'web', 'handler', 'web internal'],
        [2, 'span', 'web', 'SELECT * FROM web WHERE token = 1', 'web client'],
        [2, 'call', 'web', `${order}`, 'web client'],
        [3, 'call', 'shop', `${order}`, 'stock server'],
        [4, 'span', 'stock', 'handler', 'stock internal'],
        [5, 'span', 'stock', 'SELECT * FROM stock WHERE token = 1', 'stock client'],
        [5, 'call', 'stock', `${order}`, 'stock client'],
        [3, 'call', 'shop', `${order}`, 'bank server'],
        [4, 'span', 'bank', 'handler', 'bank internal'],
        [5, 'span', 'bank', 'SELECT * FROM bank WHERE token = 1', 'bank client']
      ],
      `order ${order}`
    )
    for (const {traceId, spanId} of nodes.flatMap(({spans}) => spans)) {
      t.notOk(seen.has(`${traceId} ${spanId}`))
      seen.add(`${traceId} ${spanId}`)
    }
  }
  t.equal(seen.size, ORDERS * 11)
})

t.test('a call is found by the spans of its trace', async t => {
  const {run, url, rig} = await openOtelShop(t, {shop: ['sdk', 'bank'], bank: ['sdk']})
  for (const path of ['/orders/7', '/orders/8']) await fetch(await url('shop', path))
  await run.waitForLine('told of /shop/8')
  await run.waitForLine('told of /orders/8')
  const {stdout} = await rig.run(['calls', 'span:url.path=/shop/8', '-o', 'ndjson'])
  t.strictSame(
    stdout
      .trim()
      .split('\n')
      .map(line => (JSON.parse(line) as {path: string}).path),
    ['/orders/8', '/shop/8'],
    'all calls of that trace'
  )
})

t.test('why tells the exception of an app that ended, with its place in the code', async t => {
  const {run, url, rig} = await openOtelShop(t, {shop: ['sdk'], bank: ['plain']})
  const apps = JSON.parse((await rig.run(['ps', '-o', 'json'])).stdout) as readonly {id: string; pid: number}[]
  await fetch(await url('shop', '/orders/13'))
  await run.waitForLine('told of /orders/13')
  process.kill(apps.find(({id}) => id === 'shop')?.pid ?? 0, 'SIGKILL')
  await run.waitForLine('SIGKILL', {stream: 'stderr'})
  t.match((await rig.run(['why', 'shop'])).stdout, /Thrown:\n +NoStock: nothing of 13 \(find \(\/srv\/bank\.js:7:9\)\)/)
})
