/** What fails in building blocks, in Dapr's words. */
import {once} from 'node:events'
import {createServer, type AddressInfo} from 'node:net'
import t, {type Test} from 'tap'
import {DaprClient} from '../rig/dapr-client.ts'
import {component} from '../rig/resource-files.ts'
import {openRig} from '../rig/rig.ts'
import {DeleteBulkStateRequest} from '../../src/model/dapr/messages/state.generated.ts'
import {openShop, publish} from '../e2e/pubsub-shop.ts'

const REFUSAL = "READONLY You can't write against a read only replica."
const ANSWERS: Readonly<Record<string, string>> = {PING: '+PONG\r\n', CONFIG: '+OK\r\n', INFO: '$0\r\n\r\n'}

/** The first command in a text, and what is behind it; undefined: it is not whole yet. */
function firstCommand(text: string): {readonly word: string; readonly rest: string} | undefined {
  const [head = '', count = ''] = /^\*(\d+)\r\n/.exec(text) ?? []
  if (head === '') return undefined
  const words: string[] = []
  let rest = text.slice(head.length)
  while (words.length < Number(count)) {
    const [start = '', size = ''] = /^\$(\d+)\r\n/.exec(rest) ?? []
    const end = start.length + Number(size)
    if (start === '' || rest.length < end + 2) return undefined
    words.push(rest.slice(start.length, end))
    rest = rest.slice(end + 2)
  }
  return {word: (words[0] ?? '').toUpperCase(), rest}
}

/** A Redis that lets in, and refuses all that is asked then. */
async function refusingRedis(t: Test): Promise<number> {
  const server = createServer(socket => {
    let text = ''
    socket
      .on('error', () => undefined)
      .on('data', bytes => {
        text += bytes.toString('latin1')
        for (let command = firstCommand(text); command !== undefined; command = firstCommand(text)) {
          text = command.rest
          socket.write(ANSWERS[command.word] ?? `-${REFUSAL}\r\n`)
        }
      })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

t.test('a Redis that refuses; an app without a port that subscribes to configuration', async t => {
  const redisHost = `127.0.0.1:${await refusingRedis(t)}`
  const rig = await openRig(t)
  await rig.write({
    'resources/locks.yaml': component('locks', 'lock.redis', {redisHost}),
    'resources/settings.yaml': component('settings', 'configuration.redis', {redisHost})
  })
  await rig.template([{appID: 'shop', resourcesPath: '../resources'}])
  rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  const ask = async (path: string, body?: object): Promise<unknown> => {
    const answer = await shop.fetch(path, body === undefined ? {} : {method: 'POST', body: JSON.stringify(body)})
    return [answer.status, JSON.parse(answer.body)]
  }
  t.same(await ask('/v1.0/configuration/settings?key=a&key=b'), [
    500,
    {errorCode: 'ERR_CONFIGURATION_GET', message: `failed to get [a b] from Configuration store settings: ${REFUSAL}`}
  ])
  t.same(await ask('/v1.0/configuration/settings/subscribe?key=a'), [
    500,
    {
      errorCode: 'ERR_APP_CHANNEL_NIL',
      message: 'app channel is not initialized. cannot subscribe to configuration updates'
    }
  ])
  const lock = {resourceId: 'r', lockOwner: 'me', expiryInSeconds: 60}
  t.same(await ask('/v1.0-alpha1/lock/locks', lock), [
    500,
    {errorCode: 'ERR_TRY_LOCK', message: `failed to try acquiring lock: ${REFUSAL}`}
  ])
  t.same(await ask('/v1.0-alpha1/unlock/locks', lock), [
    500,
    {errorCode: 'ERR_UNLOCK', message: `failed to release lock: ${REFUSAL}`}
  ])
})

t.test('state: metadata that are no texts; many that are deleted in one call, and one has changed', async t => {
  const rig = await openRig(t)
  await rig.write({'resources/store.yaml': component('store', 'state.in-memory')})
  await rig.template([{appID: 'shop', resourcesPath: '../resources'}])
  const run = rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  const save = async (body: string): Promise<unknown> => shop.fetch('/v1.0/state/store', {method: 'POST', body})
  t.match(await save('[{"key":"k","value":1,"metadata":{"ttlInSeconds":5}}]'), {
    status: 400,
    body: /^\{"errorCode":"ERR_MALFORMED_REQUEST","message":"[^"]+/
  })
  t.match(await save('[{"key":"k","value":1},{"key":"l","value":2}]'), {status: 204})
  const client = new DaprClient(t, (await run.ports('shop')).grpc)
  const states = ['k', 'l'].map(key => ({
    key,
    value: Buffer.alloc(0),
    etag: key === 'k' ? {value: 'old'} : undefined,
    metadata: {},
    options: undefined
  }))
  t.match(await client.call('DeleteBulkState', [DeleteBulkStateRequest, {storeName: 'store', states}]), {
    code: 10,
    message: /^failed deleting state in state store store: possible etag mismatch\. error from state store/
  })
  t.match(await shop.fetch('/v1.0/state/store/k'), {status: 200, body: '1'})
  t.match(await shop.fetch('/v1.0/state/store/l'), {status: 204}, 'the other one is deleted')
})

t.test('an app that fails to list its topics; a rule whose result is no boolean', async t => {
  const rule = {match: 'event.data', path: '/rule'}
  const {rig, shop} = await openShop(t, [{pubsubname: 'bus', topic: 'orders', routes: {rules: [rule]}}])
  await publish(shop, 'bus/orders?metadata.cloudevent.id=7', '"text"')
  await rig.logged(
    'shop',
    /level=error.*error finding matching route for event 7 in pubsub bus and topic orders: the result of match expression event\.data was not a boolean/
  )
  const other = await openRig(t)
  await other.write({'resources/bus.yaml': component('bus', 'pubsub.in-memory')})
  await other.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources'}])
  other.pillion(['run', '-f', '.'])
  const busy = await other.driven('shop')
  await busy.subscribe({status: 503, body: 'busy'})
  await busy.listen()
  await other.logged('shop', /level=error.*app returned http status code 503 from subscription endpoint/)
})

t.test('a component that cannot be opened: the lines that Dapr logs before it ends', async t => {
  const rig = await openRig(t)
  await rig.write({'resources/store.yaml': component('store', 'state.sqlite', {connectionString: 'none/data.db'})})
  await rig.template([{appID: 'shop', resourcesPath: '../resources'}])
  const run = rig.pillion(['run', '-f', '.'])
  t.match(await run.exited, {code: 1})
  const what = String.raw`store \(state\.sqlite\/v1\)`
  const failed = String.raw`Failed to init component ${what}: \[INIT_COMPONENT_FAILURE\]: initialization error occurred for ${what}: `
  await rig.logged('shop', new RegExp(`level=error.*msg="${failed}`))
  await rig.logged(
    'shop',
    new RegExp(`level=warn.*msg="Error processing component, daprd will exit gracefully: ${failed}`)
  )
  await rig.logged(
    'shop',
    new RegExp(`level=fatal.*msg="Fatal error from runtime: process component store error: ${failed}`)
  )
})
