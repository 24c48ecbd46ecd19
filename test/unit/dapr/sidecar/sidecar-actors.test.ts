import t from 'tap'
import {AdmissionQueue} from '../../../../src/proxy/gateway/admission-queue.ts'
import {HeldBodies} from '../../../../src/proxy/gateway/held-bodies.ts'
import {SidecarActors} from '../../../../src/dapr/sidecar/sidecar-actors.ts'
import type {AppRuntime} from '../../../../src/supervisor/app-runtime.ts'

t.test('a process that goes before it can be asked leaves no question to the next one', async t => {
  const queue = new AdmissionQueue({timeoutMs: 60_000})
  queue.open()
  const listeners: (() => void)[] = []
  const app = {
    id: 'shop',
    plan: {channel: {protocol: 'http'}, fixedPort: 0, command: [], ready: {kind: 'spawned'}},
    isListening: true,
    appPort: 1,
    pid: 7,
    queue,
    onMove: (listener: () => void) => {
      listeners.push(listener)
      return () => undefined
    }
  }
  const actors = new SidecarActors({
    runtime: app as unknown as AppRuntime,
    context: {heldBodies: new HeldBodies()},
    actors: {
      load: async () => Promise.reject(new Error('no actors here')),
      reminders: async () => Promise.reject(new Error('no reminders here')),
      onTypes: () => undefined,
      faults: undefined,
      elsewhere: async () => Promise.resolve(undefined),
      hostedAt: () => undefined,
      countsOf: async () => Promise.resolve([])
    },
    policies: () => undefined,
    log: (_, text) => t.fail(text),
    components: () => [],
    warn: text => t.fail(text)
  })
  app.isListening = false
  queue.hold('the next one starts')
  for (const listener of listeners) listener()
  await import('../../../../src/proxy/gateway/app-request.ts')
  await new Promise(setImmediate)
  t.equal(queue.waiting, 0)
  actors.close()
})
