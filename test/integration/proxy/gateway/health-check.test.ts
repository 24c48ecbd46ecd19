import {execFileSync} from 'node:child_process'
import {once} from 'node:events'
import {setImmediate as nextTurn} from 'node:timers/promises'
import {Worker} from 'node:worker_threads'
import t from 'tap'
import type {AppPlan} from '../../../../src/model/plan.ts'
import {healthOf} from '../../../../src/proxy/gateway/health-check.ts'

const place = (path: string): string => JSON.stringify(new URL(`../../../../src/${path}`, import.meta.url))

t.test('where no file can be opened, an app of gRPC is not healthy, and nothing ends', async t => {
  const code = `
    import {openSync} from 'node:fs'
    const {healthOf} = await import(${place('proxy/gateway/health-check.ts')})
    const plan = {
      health: {enabled: true, path: '', intervalMs: 1, timeoutMs: 100, threshold: 1},
      channel: {protocol: 'grpc'}
    }
    const changed = isHealthy => console.log(isHealthy)
    const statuses = []
    const probed = status => statuses.push(status) === 2 && health.end()
    const health = healthOf(plan, {hosts: ['127.0.0.1'], port: () => 1, probed, changed})
    try {
      for (;;) openSync('/dev/null')
    } catch {}
    health.begin()
    process.on('exit', () => console.log(...statuses))`
  const limited = ['-c', 'ulimit -n 64; exec "$@"', 'sh', process.execPath, '--input-type=module', '-e', code]
  t.equal(execFileSync('sh', limited, {encoding: 'utf8', timeout: 20_000}), 'false\n0 0\n')
})

/** An app that answers a check while this thread does nothing. `state`: 1 = it was asked, 2 = it may answer. */
const APP = `
  const {parentPort, workerData: {protocol, state}} = require('node:worker_threads')
  const asked = async answer => {
    Atomics.store(state, 0, 1)
    await Atomics.waitAsync(state, 0, 1).value
    answer()
  }
  const server =
    protocol === 'http'
      ? require('node:http').createServer((_, response) => asked(() => response.end()))
      : require('node:http2').createServer().on('stream', stream => {
          stream.on('wantTrailers', () => stream.sendTrailers({'grpc-status': '0'}))
          asked(() => {
            stream.respond({'content-type': 'application/grpc'}, {waitForTrailers: true})
            stream.end(Buffer.alloc(5))
          })
        })
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))`

for (const protocol of ['http', 'grpc'])
  t.test(`an answer of ${protocol} in time that is read late, since this process was held up, counts`, async t => {
    const state = new Int32Array(new SharedArrayBuffer(4))
    const worker = new Worker(APP, {eval: true, workerData: {protocol, state}})
    t.teardown(async () => worker.terminate())
    const [port] = (await once(worker, 'message')) as [number]
    const plan = {
      health: {enabled: true, path: '/', intervalMs: 60_000, timeoutMs: 1000, threshold: 3},
      channel: {protocol}
    } as AppPlan
    const {promise, resolve} = Promise.withResolvers<boolean>()
    const health = healthOf(plan, {hosts: ['127.0.0.1'], port: () => port, probed: () => undefined, changed: resolve})
    health?.begin()
    while (Atomics.load(state, 0) === 0) await nextTurn()
    Atomics.store(state, 0, 2)
    Atomics.notify(state, 0)
    Atomics.wait(state, 0, 2, 1200)
    t.equal(await promise, true)
    health?.end()
  })
