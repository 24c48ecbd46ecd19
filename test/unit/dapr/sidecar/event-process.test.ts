import t from 'tap'
import type {DeliveryProcess} from '../../../../src/dapr/sidecar/blocks/event-channel.ts'
import {EventProcess, type DeliveryContext} from '../../../../src/dapr/sidecar/event-process.ts'
import type {AppRuntime} from '../../../../src/supervisor/app-runtime.ts'

/** What a channel is made of. */
class Made {
  readonly process: DeliveryProcess

  constructor(process: DeliveryProcess) {
    this.process = process
  }
}

t.test('a server that does not answer keeps no event of another one from a process', async t => {
  const runtime = {
    isListening: true,
    pid: 7,
    queue: {isOpen: true},
    plan: {channel: {protocol: 'http'}},
    sleep: {need: () => undefined},
    opening: {noteReady: () => undefined}
  }
  const process = new EventProcess(runtime as unknown as AppRuntime)
  const context = {context: {}, log: () => undefined} as unknown as DeliveryContext
  const channel = await process.openChannel(context, {http: async () => Made, grpc: async () => Made})
  const ready = (): Promise<void> | undefined => channel.process.ready(new AbortController().signal, 'an event')
  process.ask()
  const isRead = Promise.withResolvers<void>()
  const waiting = ready()
  const followed = process.followed(7, isRead.promise)
  await waiting
  t.equal(ready(), undefined)
  t.equal(process.isKnown, false, 'not all is read')
  isRead.resolve()
  await followed
  process.answered(7)
  t.equal(process.isKnown, true)
  process.forget()
  t.equal(process.isKnown, false)
  t.ok(ready())
})
