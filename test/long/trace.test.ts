import t, {type Test} from 'tap'
import type {RequestTree} from '../../src/model/api.generated.ts'
import {misfit} from '../rig/api-schema.ts'
import {ask, controlSocket} from '../rig/control-socket.ts'
import {openRig, type Rig} from '../rig/rig.ts'

/** Calls the apps of its arguments one after the other for each order, and passes no header on. Orders of 13 fail in the last one. */
const APP = `
const [name, ...next] = process.argv.slice(2)
const call = (app, path) => fetch('http://localhost:' + process.env.DAPR_HTTP_PORT + '/v1.0/invoke/' + app + '/method' + path)
require('node:http').createServer(async (request, response) => {
  // questions of the sidecar are no orders
  for (const app of /\\d$/.test(request.url) ? next : []) {
    const answer = await call(app, '/' + name + request.url.replace(/.*\\/(?=\\d)/, '/'))
    await answer.text()
    if (answer.status >= 500) response.statusCode = 502
  }
  await new Promise(resolve => setTimeout(resolve, next.length === 0 ? Math.random() * 5 : 0))
  if (next.length === 0 && request.url.endsWith('/13')) response.statusCode = 500
  response.end('done')
}).listen(process.env.APP_PORT, () => console.log('listening'))
`
/** Orders come by the sidecar of `web`. */
const CALLEES: Readonly<Record<string, readonly string[]>> = {
  web: [],
  shop: ['stock', 'payment'],
  stock: ['prices'],
  payment: ['bank'],
  prices: [],
  bank: []
}

interface Shop {
  readonly rig: Rig
  /** Orders; resolves when the answer has come. */
  readonly order: (number: number) => Promise<unknown>
  /** The tree of a request, from the API of the run. */
  readonly tree: (q: string) => Promise<RequestTree>
}

/** Six services that pass no trace on. */
async function openShop(t: Test): Promise<Shop> {
  const rig = await openRig(t)
  await rig.write({'app.cjs': APP})
  await rig.template(
    Object.entries(CALLEES).map(([appID, next]) => ({
      appID,
      appDirPath: '.',
      autoPort: true,
      command: ['node', 'app.cjs', appID, ...next]
    }))
  )
  const run = rig.pillion(['up'])
  await run.waitForLine('listening', {nth: 6})
  const {http} = await run.ports('web')
  return {
    rig,
    order: async number => {
      const answer = await fetch(`http://127.0.0.1:${http}/v1.0/invoke/shop/method/orders/${number}`)
      return answer.text()
    },
    tree: async q => {
      const {json} = await ask(controlSocket(rig), `/api/v1/trace?q=${encodeURIComponent(q)}`)
      t.equal(misfit('RequestTree', json), '')
      return json as RequestTree
    }
  }
}

const orderOf = ({what}: {readonly what: string}): string => what.replace(/.*\//, '')

t.test('a request of apps that pass no trace on is one tree, 200 times of 200', async t => {
  const {order, tree} = await openShop(t)
  for (let number = 100; number < 300; number++) {
    await order(number)
    const {nodes} = await tree(`path:*/${number} to:bank`)
    t.same(
      nodes.map(call => [call.depth, call.to, orderOf(call), call.link?.reason]),
      [
        [0, 'shop', `${number}`, undefined],
        [1, 'stock', `${number}`, 'only'],
        [2, 'prices', `${number}`, 'only'],
        [1, 'payment', `${number}`, 'only'],
        [2, 'bank', `${number}`, 'only']
      ]
    )
  }
})

t.test('of twenty requests at once none is said to be sure and is wrong', async t => {
  const {order, tree} = await openShop(t)
  const seen = {sure: new Set<number>(), guessed: new Set<number>()}
  for (let round = 0; round < 5; round++) {
    const numbers = Array.from({length: 20}, (_, index) => 100 + round * 20 + index)
    await Promise.all(numbers.map(order))
    for (const number of numbers) {
      const {nodes} = await tree(`path:*/${number} to:shop`)
      const known = new Map(nodes.map(call => [call.id, call]))
      for (const call of nodes) {
        const parent = known.get(call.link?.parent ?? 0)
        if (call.link === null || parent === undefined) continue
        const isRight = orderOf(parent) === orderOf(call) && parent.to === call.from
        seen[call.link.reason === 'guess' ? 'guessed' : 'sure'].add(call.id)
        t.ok(isRight || call.link.reason === 'guess', `call ${call.id} is not one of ${parent.id}`)
        t.ok(call.link.chance > 0 && (call.link.chance < 1 || call.link.reason !== 'guess'))
      }
    }
  }
  t.equal(new Set([...seen.sure, ...seen.guessed]).size, 5 * 20 * 4, 'each call stands below another one')
  t.ok(seen.guessed.size > 0, 'some are not sure')
})

t.test('a failed request is shown as a tree that tells where it began', async t => {
  const {rig, order} = await openShop(t)
  await order(12)
  await order(13)
  const {stdout} = await rig.run(['trace', 'is:failed'])
  t.same(
    stdout
      .replaceAll(/\+?\d+(?:\.\d+)? (?:µs|ms|s)/g, 'TIME')
      .replaceAll(/ *█+/g, ' █')
      .replaceAll(/ +/g, ' ')
      .trim()
      .split('\n')
      .map(line => line.trim().replace(/^\d+ /, 'N ')),
    [
      'CALL FROM → TO REQUEST STATUS BEGAN TOOK',
      'N web → shop GET /orders/13 502 ✕ TIME TIME █',
      'N ├ shop → stock GET /shop/13 502 ✕ TIME TIME █',
      'N │ └ stock → prices GET /stock/13 500 ✕ TIME TIME █ ← the failure began here',
      'N └ shop → payment GET /shop/13 502 ✕ TIME TIME █',
      'N └ payment → bank GET /payment/13 500 ✕ TIME TIME █'
    ]
  )
  const number =
    stdout
      .split('\n')
      .find(line => line.includes('prices'))
      ?.trim()
      .split(' ')[0] ?? ''
  t.equal((await rig.run(['trace', number])).stdout, stdout, 'any call of it shows the whole')
  t.match((await rig.run(['trace', 'last'])).stdout, /orders\/13/)
  t.match(await rig.run(['trace', 'to:nobody']), {code: 1, stderr: /no call matches to:nobody/})
  t.match(await rig.run(['trace', '99']), {code: 1, stderr: /there is no call 99: the latest call is number/})
  t.match(await rig.run(['trace', 'is:strange']), {code: 1, stderr: /is:strange/})
})

/** Keeps each order, publishes it, and writes a line; who gets the event asks another app, and says what is wrong with order 13. */
const PUBLISHING = `
const [name] = process.argv.slice(2)
const sidecar = 'http://localhost:' + process.env.DAPR_HTTP_PORT
const post = (path, value) =>
  fetch(sidecar + path, {method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify(value)})
require('node:http').createServer(async (request, response) => {
  const [, number] = /(\\d+)$/.exec(request.url) ?? []
  const body = (await request.toArray()).join('')
  if (name === 'shop' && number !== undefined) {
    console.log('an order of ' + number)
    await post('/v1.0/state/statestore', [{key: number, value: {source: 'nobody'}}])
    await post('/v1.0/publish/pubsub/orders', {number, source: 'nobody', id: 'nothing'})
  }
  if (request.url === '/mail') await (await fetch(sidecar + '/v1.0/invoke/bank/method/' + JSON.parse(body).data.number)).text()
  if (name === 'bank' && number === '13') {
    console.error('ERROR no account 13')
    response.statusCode = 500
  }
  const topics = [{pubsubname: 'pubsub', topic: 'orders', route: '/mail'}]
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(name === 'mail' && request.url === '/dapr/subscribe' ? topics : {}))
}).listen(process.env.APP_PORT, () => console.log('listening'))
`

const publishing = (appID: string) => ({appID, appDirPath: '.', autoPort: true, command: ['node', 'app.cjs', appID]})

t.test('what is published is followed to who gets it; state, lines, and where it failed', async t => {
  const rig = await openRig(t)
  await rig.write({'app.cjs': PUBLISHING})
  await rig.template(['web', 'shop', 'mail', 'bank'].map(publishing))
  const run = rig.pillion(['up'])
  await run.waitForLine('listening', {nth: 4})
  const {http} = await run.ports('web')
  const order = async (number: number): Promise<void> => {
    await (await fetch(`http://127.0.0.1:${http}/v1.0/invoke/shop/method/orders/${number}`)).text()
    const wait = await rig.run(['wait', '--for', `calls:bank:${number - 11}`, '--timeout', '20s'])
    t.equal(wait.code, 0, wait.stderr)
  }
  const tree = async (q: string): Promise<RequestTree> => {
    const {json} = await ask(controlSocket(rig), `/api/v1/trace?q=${encodeURIComponent(q)}`)
    t.equal(misfit('RequestTree', json), '')
    return json as RequestTree
  }
  await order(12)
  const {nodes, lines} = await tree('to:shop path:*/12')
  t.same(
    nodes.map(({depth, kind, from, to, what, link}) => [depth, kind, `${from} → ${to}`, what, link?.reason]),
    [
      [0, 'call', 'web → shop', 'GET /orders/12', undefined],
      [1, 'component', 'shop → statestore', 'state set', 'only'],
      [1, 'component', 'shop → pubsub/orders', 'publish', 'only'],
      [2, 'call', 'pubsub/orders → mail', 'POST /mail', 'event'],
      [3, 'call', 'mail → bank', 'GET /12', 'only']
    ]
  )
  t.match(lines, [{node: nodes[0]?.id, others: 0, line: {app: 'shop', line: 'an order of 12'}}])
  await order(13)
  const {stdout} = await rig.run(['trace', 'is:failed'])
  t.match(stdout, /web → shop +GET \/orders\/13 +200/, 'it opens the request, whose answer was good')
  t.match(stdout, /└ mail → bank +GET \/13 +500 ✕.*← the failure began here\n +bank: ERROR no account 13\n/)
  t.notMatch(stdout, /an order of 13/)
  t.match((await rig.run(['trace', 'is:failed', '--lines'])).stdout, /\n +shop: an order of 13\n/)
})

/** Publishes two events at once for each order, and gets them one by one, and both at once. */
const BULK = `
const [name] = process.argv.slice(2)
const topics = [
  {pubsubname: 'pubsub', topic: 'single', route: '/single'},
  {pubsubname: 'pubsub', topic: 'many', route: '/many', bulkSubscribe: {enabled: true, maxMessagesCount: 2, maxAwaitDurationMs: 60000}}
]
require('node:http').createServer(async (request, response) => {
  const body = (await request.toArray()).join('')
  let answer = name === 'mail' && request.url === '/dapr/subscribe' ? topics : {}
  if (name === 'shop' && request.url.startsWith('/orders'))
    for (const topic of ['single', 'many'])
      await fetch('http://localhost:' + process.env.DAPR_HTTP_PORT + '/v1.0-alpha1/publish/bulk/pubsub/' + topic, {
        method: 'POST',
        headers: {'content-type': 'application/json'},
        body: JSON.stringify(['1', '2'].map(entryId => ({entryId, event: {id: 'nothing', source: 'nobody'}, contentType: 'application/json'})))
      })
  if (request.url === '/many')
    answer = {statuses: JSON.parse(body).entries.map(({entryId}) => ({entryId, status: 'SUCCESS'}))}
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(answer))
}).listen(process.env.APP_PORT, () => console.log('listening'))
`

t.test('events that are published in bulk, or come in bulk, stand below a publish of their request', async t => {
  const rig = await openRig(t)
  await rig.write({'app.cjs': BULK})
  await rig.template(['web', 'shop', 'mail'].map(publishing))
  const run = rig.pillion(['up'])
  await run.waitForLine('listening', {nth: 3})
  const {http} = await run.ports('web')
  await (await fetch(`http://127.0.0.1:${http}/v1.0/invoke/shop/method/orders`)).text()
  const waited = await rig.run(['wait', '--for', 'calls:mail:3', '--timeout', '20s'])
  t.equal(waited.code, 0, waited.stderr)
  const {json} = await ask(controlSocket(rig), `/api/v1/trace?q=${encodeURIComponent('to:shop path:/orders')}`)
  const {nodes} = json as RequestTree
  t.same(
    nodes
      .filter(({kind}) => kind === 'call')
      .map(({depth, count, to, what, link}) => `${depth} ${count} ${to} ${what} ${link?.reason ?? ''}`)
      .toSorted((a, b) => (a < b ? -1 : 1)),
    ['0 1 shop GET /orders ', '2 1 mail POST /many event', '2 1 mail POST /single event', '2 1 mail POST /single event']
  )
})
