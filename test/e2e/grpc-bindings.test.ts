import t, {type Test} from 'tap'
import type {Driven, Request} from '../rig/command.ts'
import {component} from '../rig/resource-files.ts'
import {openRig} from '../rig/rig.ts'
import {decode, encode, type Message} from '../../src/proxy/net/grpc/message-codec.ts'
import {
  BindingEventRequest,
  BindingEventResponse,
  ListInputBindingsResponse
} from '../../src/model/dapr/messages/appcallback.generated.ts'

const CALLBACK = '/dapr.proto.runtime.v1.AppCallback'

type Answer = Message<typeof BindingEventResponse>

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/** An app of gRPC with two bindings that fire often. */
const openShop = async (t: Test): Promise<Driven> => {
  const rig = await openRig(t)
  const often = {schedule: '@every 50ms'}
  await rig.write({
    'resources/tick.yaml': component('tick', 'bindings.cron', often),
    'resources/tock.yaml': component('tock', 'bindings.cron', often),
    'resources/states.yaml': component('states', 'state.in-memory'),
    'resources/files.yaml': component('files', 'bindings.localstorage', {rootPath: './kept'})
  })
  await rig.template([{appID: 'shop', appProtocol: 'grpc', autoPort: true, resourcesPath: '../resources'}])
  rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  await shop.listen({grpc: true})
  const question = await shop.nextRequest()
  t.match(question, {url: `${CALLBACK}/ListInputBindings`, body: ''})
  await question.reply({status: 0, body: base64(encode(ListInputBindingsResponse, {bindings: ['tick', 'other']}))})
  return shop
}

const eventIn = ({body}: Request): Message<typeof BindingEventRequest> =>
  decode(BindingEventRequest, Buffer.from(body, 'base64'))

t.test('events of a binding reach an app of gRPC that lists it; its answer is saved and sent on', async t => {
  const shop = await openShop(t)
  const event = await shop.nextRequest()
  t.match(event, {url: `${CALLBACK}/OnBindingEvent`, headers: {traceparent: /^00-[0-9a-f]{32}-/}})
  t.match(eventIn(event), {name: 'tick', metadata: {timeZone: 'Local', readTimeUTC: / \+0000 UTC$/}})
  await event.reply({status: 2, headers: {'grpc-message': 'broken'}})
  const next = await shop.nextRequest()
  t.match(eventIn(next), {name: 'tick'})
  const item = {key: 'k', value: Buffer.from('{"n": 1}'), etag: undefined, metadata: {}, options: undefined}
  const answer: Answer = {
    storeName: 'states',
    states: [item],
    to: ['files'],
    data: Buffer.from([0, 255]),
    concurrency: 0
  }
  await next.reply({status: 0, body: base64(encode(BindingEventResponse, answer))})
  for (;;) {
    const state = await shop.fetch('/v1.0/state/states/k')
    const list = await shop.fetch('/v1.0/bindings/files', {method: 'POST', body: '{"operation":"list"}'})
    if (state.status !== 200 || list.body === 'null') continue
    t.equal(state.body, '{"n": 1}')
    break
  }
})
