import {execFile} from 'node:child_process'
import {Agent} from 'node:http'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import {promisify} from 'node:util'
import t from 'tap'
import {called, oddApp} from '../rig/bad-input.ts'
import {ask, controlSocket} from '../rig/control-socket.ts'
import {FLOODS, plainFloods, WINDOWS} from '../rig/floods.ts'
import {freePort} from '../rig/free-port.ts'
import {openRig} from '../rig/rig.ts'
import {usageOf} from '../rig/usage.ts'

/** Of each kind at each port: FLOOD_MS=10000 takes seven minutes. */
const FLOOD_MS = Number(process.env['FLOOD_MS'] ?? 250)
/** The sender has a core of its own, and so have those who test beside it: no limit for an answer, but far from none. */
const MAX_DELAY_MS = 2000
const MAX_MEGABYTES = 100
/** Connections of a moment ago that are kept for the next calls. */
const MAX_MORE_DESCRIPTORS = 64

const FLOODER = join(import.meta.dirname, '../rig/flooder.ts')

t.setTimeout(1_800_000)

t.test('floods of every kind at every port: a good call beside them is served, and nothing is kept', async t => {
  const rig = await openRig(t)
  const [metrics, published] = [await freePort(), await freePort()]
  await rig.template([
    oddApp('good'),
    {...oddApp('shop'), metricsPort: metrics},
    oddApp('other'),
    {...oddApp('called'), port: published}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const [shop, {http: other}] = [await run.ports('shop'), await run.ports('other')]
  const {json} = await ask(controlSocket(rig), '/api/v1/dashboard', {method: 'POST'})
  const {port: page} = json as {readonly port: number}
  const agent = new Agent({keepAlive: true})
  t.teardown(() => agent.destroy())
  const good = async (): Promise<number> => {
    const from = performance.now()
    const {status, body} = await called(other, 'good', '/echo', {agent})
    if (status !== 200) t.fail(`${status} ${body}`)
    return performance.now() - from
  }
  for (let n = 0; n < 50; n++) await good()
  const before = await usageOf(run.pid)

  const plain = Object.keys(plainFloods('', 0))
  const framed = Object.keys(FLOODS)
  const places = [
    {name: 'HTTP', port: shop.http, path: '/v1.0/invoke/nobody/method/x', kinds: [...plain, ...framed]},
    {name: 'gRPC', port: shop.grpc, path: '/', kinds: [...framed, ...Object.keys(WINDOWS)]},
    {name: 'metrics', port: metrics, path: '/', kinds: plain},
    {name: 'page', port: page, path: '/', kinds: plain},
    {name: 'port of an app', port: published, path: '/echo', kinds: plain}
  ]
  for (const {name, port, path, kinds} of places)
    for (const kind of kinds) {
      const flooded = promisify(execFile)(process.execPath, [FLOODER, String(port), path, kind, String(FLOOD_MS)])
      const over = new AbortController()
      void flooded.finally(() => over.abort()).catch(() => undefined)
      const delays = [await good()]
      for (; !over.signal.aborted; await pause(20)) delays.push(await good())
      const {stdout} = await flooded
      const longest = Math.max(...delays)
      const {megabytes} = await usageOf(run.pid)
      t.ok(
        longest < MAX_DELAY_MS,
        `${name}: ${kind}: the longest of ${delays.length} calls took ${longest.toFixed()} ms; ${stdout.trim()}; ${megabytes.toFixed()} MB`
      )
    }

  let after = await usageOf(run.pid)
  for (const end = performance.now() + 20_000; performance.now() < end; await pause(200)) {
    after = await usageOf(run.pid)
    if (after.megabytes < before.megabytes + MAX_MEGABYTES / 2 && after.descriptors <= before.descriptors) break
  }
  t.ok(
    after.megabytes < before.megabytes + MAX_MEGABYTES,
    `${before.megabytes.toFixed()}, then ${after.megabytes.toFixed()} MB`
  )
  t.ok(
    after.descriptors < before.descriptors + MAX_MORE_DESCRIPTORS,
    `${before.descriptors}, then ${after.descriptors} descriptors`
  )
  await good()
  t.match(await run.end(), {code: 0})
})
