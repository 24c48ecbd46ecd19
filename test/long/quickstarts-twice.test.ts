import t from 'tap'
import {freePorts} from '../rig/free-port.ts'
import type {Program} from '../rig/program.ts'
import {component} from '../rig/resource-files.ts'
import {openRig} from '../rig/rig.ts'
import {writeWorktrees} from '../rig/worktrees.ts'

/** How many orders each quickstart sends, or keeps. */
const COUNT = 10
const COPIES = ['main', 'pr']

/** The folder of the worktree, which each order tells; the rest as Dapr's quickstarts for JavaScript over HTTP have it. */
const BEGIN = `import {basename, join} from 'node:path'
import {existsSync} from 'node:fs'
import {setTimeout} from 'node:timers/promises'
const {createServer} = process.getBuiltinModule('node:http')
const copy = basename(join(process.cwd(), '../..'))
const dapr = 'http://localhost:' + (process.env.DAPR_HTTP_PORT ?? '3500')
const json = {'content-type': 'application/json'}
`

const CALLS = `${BEGIN}
for (let orderId = 1; orderId <= ${COUNT}; orderId++) {
  const headers = {...json, 'dapr-app-id': 'order-processor'}
  const answer = await fetch(dapr + '/orders', {method: 'POST', headers, body: JSON.stringify({orderId, copy})})
  console.log('Order passed: ' + (await answer.text()))
}
`

/** What is refused is published again: the built-in Redis changes hands while it is, if the run that had it ends. */
const PUBLISHES = `${BEGIN}
for (let orderId = 1; orderId <= ${COUNT};) {
  const answer = await fetch(dapr + '/v1.0/publish/orderpubsub/orders', {method: 'POST', headers: json, body: JSON.stringify({orderId, copy})})
  if (answer.ok) console.log('Published data: ' + orderId++)
  else console.log('Refused: ' + answer.status + ' ' + (await answer.text()))
}
`

const TAKES = `${BEGIN}
createServer(async (request, response) => {
  if (request.url === '/dapr/subscribe')
    return response.end(JSON.stringify([{pubsubname: 'orderpubsub', topic: 'orders', route: '/orders'}]))
  if (request.method === 'GET') return response.writeHead(404).end()
  const pieces = []
  for await (const piece of request) pieces.push(piece)
  const body = JSON.parse(Buffer.concat(pieces))
  const order = body.data ?? body
  console.log('Order received: ' + order.copy + ' ' + order.orderId)
  response.end(copy + ' ' + order.orderId)
}).listen(process.env.APP_PORT ?? '5001', 'localhost')
`

/** Other copies keep theirs before this one looks. */
const KEEPS = `${BEGIN}
const at = dapr + '/v1.0/state/statestore'
for (let orderId = 1; orderId <= ${COUNT}; orderId++)
  await fetch(at, {method: 'POST', headers: json, body: JSON.stringify([{key: String(orderId), value: {orderId, copy}}])})
console.log('All saved')
while (!existsSync('../../../all-saved')) await setTimeout(20)
for (let orderId = 1; orderId <= ${COUNT}; orderId++) {
  const order = await (await fetch(at + '/' + orderId)).json()
  console.log('Got order: ' + order.copy + ' ' + order.orderId)
  await fetch(at + '/' + orderId, {method: 'DELETE'})
}
`

const ordersOf = (copy: string, words: string): readonly string[] =>
  Array.from({length: COUNT}, (_, at) => `${words}${copy} ${at + 1}`).toSorted()

/** What follows these words in the output of the apps of a run. */
const said = ({stdout}: Program, words: string): readonly string[] =>
  stdout.lines.flatMap(line => (line.includes(words) ? [line.slice(line.indexOf(words))] : [])).toSorted()

const app = (id: string, more: object = {}): object => ({
  appID: id,
  appDirPath: `./${id}/`,
  command: ['node', 'app.mjs'],
  ...more
})

const template = (common: object, ...apps: readonly object[]): string => JSON.stringify({version: 1, common, apps})

t.test('three quickstarts in two worktrees at once: each passes, and no call, event or key crosses', async t => {
  const rig = await openRig(t)
  const [calls = 0, events = 0, redis = 0] = await freePorts(3)
  const resources = {resourcesPath: '../components/'}
  const metadata = {redisHost: `localhost:${redis}`, redisPassword: ''}
  await writeWorktrees(rig, {
    'components/pubsub.yaml': component('orderpubsub', 'pubsub.redis', metadata),
    'components/statestore.yaml': component('statestore', 'state.redis', metadata),
    'service_invocation/dapr.yaml': template({}, app('order-processor', {appPort: calls}), app('checkout')),
    'service_invocation/order-processor/app.mjs': TAKES,
    'service_invocation/checkout/app.mjs': CALLS,
    'pub_sub/dapr.yaml': template(resources, app('order-processor', {appPort: events}), app('checkout')),
    'pub_sub/order-processor/app.mjs': TAKES,
    'pub_sub/checkout/app.mjs': PUBLISHES,
    'state_management/dapr.yaml': template(resources, app('order-processor')),
    'state_management/order-processor/app.mjs': KEEPS
  })
  const started = COPIES.map(copy => {
    const start = (quickstart: string): Program => rig.pillion(['run', '-f', '.'], {folder: `${copy}/${quickstart}`})
    return {copy, calls: start('service_invocation'), events: start('pub_sub'), state: start('state_management')}
  })
  await Promise.all(started.map(async ({state}) => state.waitForLine('All saved')))
  await rig.write({'all-saved': ''})
  for (const {copy, calls: invoked, events: published, state} of started) {
    t.match(await state.exited, {code: 0})
    t.same(said(state, 'Got order: '), ordersOf(copy, 'Got order: '))
    await invoked.waitForLine('Order passed', {nth: COUNT})
    t.same(said(invoked, 'Order passed: '), ordersOf(copy, 'Order passed: '))
    t.same(said(invoked, 'Order received: '), ordersOf(copy, 'Order received: '))
    for (let orderId = 1; orderId <= COUNT; orderId++)
      await published.waitForLine(new RegExp(`Order received: ${copy} ${orderId}$`))
    // one that was refused may have been kept all the same
    t.same([...new Set(said(published, 'Order received: '))], ordersOf(copy, 'Order received: '))
  }
  const moved = started.flatMap(({calls: run}) => (run.stderr.text.includes('other ports') ? [run] : []))
  t.equal(moved.length, 1, 'one copy has other ports')
  for (const {calls: invoked, events: published} of started)
    for (const run of [invoked, published]) {
      run.signal('SIGINT')
      t.match(await run.exited, {code: 0})
    }
})
