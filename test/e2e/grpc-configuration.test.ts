import t, {type Test} from 'tap'
import {DaprClient} from '../rig/dapr-client.ts'
import {freePort} from '../rig/free-port.ts'
import {component} from '../rig/resource-files.ts'
import {openRig} from '../rig/rig.ts'
import {ClientConnection} from '../../src/packages/redis/client-connection.ts'
import {
  GetConfigurationRequest,
  GetConfigurationResponse,
  SubscribeConfigurationResponse,
  UnsubscribeConfigurationRequest,
  UnsubscribeConfigurationResponse
} from '../../src/model/dapr/messages/configuration.generated.ts'
import {
  TryLockRequest,
  TryLockResponse,
  UnlockRequest,
  UnlockResponse
} from '../../src/model/dapr/messages/lock.generated.ts'

interface Shop {
  readonly client: DaprClient
  readonly redis: ClientConnection
}

async function openShop(t: Test, type: string): Promise<Shop> {
  const rig = await openRig(t)
  const port = await freePort()
  await rig.write({'resources/here.yaml': component('here', type, {redisHost: `localhost:${port}`})})
  await rig.template([{appID: 'shop', resourcesPath: '../resources'}])
  const run = rig.pillion(['run', '-f', '.'])
  await rig.driven('shop')
  const client = new DaprClient(t, (await run.ports('shop')).grpc)
  const redis = await ClientConnection.open({host: '127.0.0.1', port})
  t.teardown(async () => redis.close())
  return {client, redis}
}

t.test('configuration over gRPC: read, followed by a stream, ended by its id or by its caller', async t => {
  const {client, redis} = await openShop(t, 'configuration.redis')
  await redis.command(['MSET', 'color', 'blue||2', 'size', 'big'])
  const blue = {value: 'blue', version: '2', metadata: {}}
  const size = {value: 'big', version: '', metadata: {}}
  for (const name of ['GetConfiguration', 'GetConfigurationAlpha1'])
    for (const [keys, items] of [
      [['color', 'absent'], {color: blue}],
      [[], {color: blue, size}],
      [['absent'], {}]
    ] as const)
      t.same(await client.call(name, [GetConfigurationRequest, {storeName: 'here', keys}], GetConfigurationResponse), {
        code: 0,
        message: '',
        details: '',
        answer: {items}
      })
  for (const suffix of ['', 'Alpha1']) {
    const schemas = {sent: GetConfigurationRequest, told: SubscribeConfigurationResponse}
    const stream = client.stream(`SubscribeConfiguration${suffix}`, schemas)
    stream.send({storeName: 'here', keys: ['color']})
    stream.call.end()
    const first = await stream.next()
    t.match(first, {id: /^[0-9a-f-]{36}$/, items: {}})
    const id = 'id' in first ? first.id : ''
    await redis.command(['SET', 'color', 'red||3'])
    t.same(await stream.next(), {id, items: {color: {value: 'red', version: '3', metadata: {}}}})
    await redis.command(['DEL', 'color'])
    t.same(await stream.next(), {id, items: {color: {value: '', version: '', metadata: {}}}})
    const unsubscribe = async (): Promise<unknown> => {
      const call = [UnsubscribeConfigurationRequest, {storeName: 'here', id}] as const
      return (await client.call(`UnsubscribeConfiguration${suffix}`, call, UnsubscribeConfigurationResponse)).answer
    }
    t.same(await unsubscribe(), {ok: true, message: ''})
    t.same(await stream.next(), {code: 0, message: ''})
    t.same(await unsubscribe(), {
      ok: false,
      message: `failed to unsubscribe to configuration request ${id}: subscription does not exist`
    })
    const left = client.stream(`SubscribeConfiguration${suffix}`, schemas)
    left.send({storeName: 'here', keys: []})
    t.match(await left.next(), {id: /./})
    left.call.cancel()
    t.match(await left.next(), {code: 1})
    const unknown = client.stream(`SubscribeConfiguration${suffix}`, schemas)
    unknown.send({storeName: 'her', keys: []})
    t.same(await unknown.next(), {code: 3, message: 'configuration store her not found (did you mean here?)'})
  }
  t.match(await client.call('GetConfiguration', [GetConfigurationRequest, {storeName: 'her'}]), {code: 3})
})

t.test('locks over gRPC', async t => {
  const {client} = await openShop(t, 'lock.redis')
  const mine = {storeName: 'here', resourceId: 'r', lockOwner: 'me', expiryInSeconds: 60}
  const lock = async (wish: object): Promise<unknown> =>
    client.call('TryLockAlpha1', [TryLockRequest, {...mine, ...wish}], TryLockResponse)
  const unlock = async (wish: object): Promise<unknown> =>
    client.call('UnlockAlpha1', [UnlockRequest, {...mine, ...wish}], UnlockResponse)
  t.match(await lock({}), {code: 0, answer: {success: true}})
  t.match(await lock({}), {code: 0, answer: {success: false}})
  t.match(await unlock({lockOwner: 'you'}), {code: 0, answer: {status: 2}})
  t.match(await unlock({}), {code: 0, answer: {status: 0}})
  t.match(await unlock({}), {code: 0, answer: {status: 1}})
  for (const [wish, message] of [
    [{expiryInSeconds: 0, resourceId: ''}, 'ExpiryInSeconds is not positive in lock store here'],
    [{resourceId: ''}, 'ResourceId is empty in lock store here'],
    [{lockOwner: ''}, 'LockOwner is empty in lock store here'],
    [{storeName: 'her'}, 'lock store her not found (did you mean here?)']
  ] as const)
    t.match(await lock(wish), {code: 3, message})
  t.match(await unlock({lockOwner: ''}), {code: 3, message: 'LockOwner is empty in lock store here'})
})
