import t from 'tap'
import type {AppEvent, DeliveryProcess, EventTarget} from '../../../../../src/dapr/sidecar/blocks/event-channel.ts'
import {GrpcEventChannel} from '../../../../../src/dapr/sidecar/grpc/blocks/grpc-event-channel.ts'
import {AdmissionQueue} from '../../../../../src/proxy/gateway/admission-queue.ts'
import {ConcurrencyLimiter} from '../../../../../src/proxy/gateway/concurrency-limiter.ts'
import {HeldBodies} from '../../../../../src/proxy/gateway/held-bodies.ts'
import {Pool} from '../../../../../src/proxy/net/pool.ts'
import {grpcApp} from './rig.ts'

const TARGET: EventTarget = {
  subscription: {pubsubName: 'bus', topic: 'orders', metadata: {}, rules: [], deadLetterTopic: '', bulk: undefined},
  path: ''
}

t.test('metadata that HTTP/2 has no place for keep an event from no app: a producer may copy headers', async t => {
  const seen: object[] = []
  const appPort = await grpcApp(t, {
    path: '/dapr.proto.runtime.v1.AppCallback/OnTopicEvent',
    unary: ({metadata}, done) => {
      seen.push(metadata.getMap())
      done(null, Buffer.alloc(0))
    }
  })
  const pool = new Pool({hosts: ['127.0.0.1'], port: appPort, protocol: 'grpc'})
  t.teardown(() => pool.cut())
  const queue = new AdmissionQueue({timeoutMs: 60_000})
  queue.open()
  const app = {
    id: 'shop',
    appPort,
    queue,
    opening: {},
    limiter: new ConcurrencyLimiter(() => 0),
    pool,
    pid: 0,
    token: ''
  }
  const process = {app, context: {heldBodies: new HeldBodies()}, pid: () => 0, isReady: () => true}
  const channel = new GrpcEventChannel(process as unknown as DeliveryProcess)
  const names = ['connection', 'Keep-Alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'http2-settings', 'te']
  const sent = [...names.map(name => ({[name]: 'x', key: '7'})), {key: ' 7 '}, {key: '7', empty: ''}]
  for (const metadata of sent) {
    const event: AppEvent = {fields: {id: '1'}, body: Buffer.from('{}'), metadata}
    t.strictSame(await channel.deliver(TARGET, event), {kind: 'success'}, JSON.stringify(metadata))
    t.match(seen.at(-1), {key: '7', pubsubname: 'bus'})
  }
  t.match(seen.at(-1), {empty: ''})
})
