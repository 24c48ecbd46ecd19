import t from 'tap'
import {AdmissionQueue} from '../../../../src/proxy/gateway/admission-queue.ts'
import {HeldBodies} from '../../../../src/proxy/gateway/held-bodies.ts'
import {followConfiguration} from '../../../../src/dapr/sidecar/app-configuration.ts'
import type {AppRuntime} from '../../../../src/supervisor/app-runtime.ts'

t.test('a process that goes before it can be asked leaves no question to the next one', async t => {
  const queue = new AdmissionQueue({timeoutMs: 60_000})
  const listeners: (() => void)[] = []
  const app = {
    id: 'shop',
    plan: {channel: {protocol: 'http'}, fixedPort: 0},
    isReady: true,
    appPort: 1,
    pid: 7,
    queue,
    onMove: (listener: () => void) => {
      listeners.push(listener)
      return () => undefined
    }
  }
  const stop = followConfiguration({
    runtime: app as unknown as AppRuntime,
    context: {heldBodies: new HeldBodies()},
    log: (_, text) => t.fail(text),
    hosts: types => t.fail(types.join())
  })
  app.isReady = false
  for (const listener of listeners) listener()
  await import('../../../../src/proxy/gateway/app-request.ts')
  await new Promise(setImmediate)
  t.equal(queue.waiting, 0)
  stop()
})
