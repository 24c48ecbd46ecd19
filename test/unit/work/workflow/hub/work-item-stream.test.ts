import t from 'tap'
import {streamWorkItems} from '../../../../../src/work/workflow/hub/work-item-stream.ts'
import {openHouse, order} from '../../../../rig/workflow-house.ts'

t.test('a worker of the SDK for JavaScript has at most 100 items in hand, which it keeps', async t => {
  for (const [userAgent, count] of [
    ['dapr-js-sdk/workflow grpc-node-js/1.12.6', 100],
    ['grpc-node-js/1.14.3', 100],
    ['grpc-go/1.80.0', 150],
    ['', 150]
  ] as const) {
    const {workflows, close} = await openHouse(t)
    for (let index = 0; index < 150; index++) await workflows.start('shop', order(`o-${index}`))
    const left = new AbortController()
    let sent = 0
    const stream = {
      ended: left.signal,
      closing: new AbortController().signal,
      connection: {},
      send: () => sent++,
      isBehind: false,
      room: async () => Promise.resolve()
    }
    const ended = streamWorkItems(workflows, {appId: 'shop', instance: 'shop', lives: () => []}, stream, userAgent)
    t.equal(sent, count, userAgent)
    left.abort()
    t.match(await ended, {code: 1})
    close()
  }
})

t.test('a worker gets what it has not read in portions: no more than a stream may have waiting', async t => {
  const {workflows, close} = await openHouse(t)
  for (let index = 0; index < 10; index++) await workflows.start('shop', order(`o-${index}`))
  let sent = 0
  let read = Promise.withResolvers<void>()
  const stream = {
    ended: new AbortController().signal,
    closing: new AbortController().signal,
    connection: {},
    isBehind: false,
    send: () => void (stream.isBehind = ++sent % 4 === 0),
    room: async () => read.promise
  }
  void streamWorkItems(workflows, {appId: 'shop', instance: 'shop', lives: () => []}, stream, '')
  for (const expected of [4, 8, 10]) {
    t.equal(sent, expected)
    stream.isBehind = false
    read.resolve()
    read = Promise.withResolvers()
    await new Promise(setImmediate)
  }
  close()
})
