/* oxlint-disable no-unmodified-loop-condition -- what publishes runs beside the loops */
import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {openRig} from '../rig/rig.ts'
import {component} from '../e2e/pubsub-shop.ts'

/** RELOADS=20 takes the full measure: 10,000 messages at 200 a second; without it a few are enough to see that it works. */
const RELOADS = Number(process.env['RELOADS'] ?? 2)
const FULL = process.env['RELOADS'] !== undefined
const MESSAGES = FULL ? 10_000 : 300
const PER_SECOND = 200

const SUBSCRIBER = join(import.meta.dirname, '../fixtures/apps/subscriber.mjs')

const CASES: readonly (readonly [
  name: string,
  type: string,
  metadata: Readonly<Record<string, string>>,
  wishes: object
])[] = [
  ['in memory', 'pubsub.in-memory', {}, {}],
  ['Redis', 'pubsub.redis', {concurrency: '1'}, {}],
  ['in memory, with overlap', 'pubsub.in-memory', {}, {reload: 'overlap'}]
]

/** Publishes numbers in their order at an even pace, until it is told to end. */
async function publishTo(base: string, publisher: {published: number; readonly isOver: boolean}): Promise<void> {
  const start = performance.now()
  while (!publisher.isOver || publisher.published < MESSAGES) {
    const due = ((performance.now() - start) / 1000) * PER_SECOND
    if (publisher.published >= due) await pause(5)
    else {
      const response = await fetch(`${base}/v1.0/publish/bus/orders`, {
        method: 'POST',
        headers: {'content-type': 'application/json'},
        body: publisher.published.toString()
      })
      if (response.status !== 204) throw new Error(await response.text())
      publisher.published++
    }
  }
}

for (const [name, type, metadata, wishes] of CASES)
  t.test(`no message is lost, doubled or out of order over reloads: ${name}`, {timeout: 300_000}, async t => {
    const rig = await openRig(t)
    const counts = join(rig.home, 'counts')
    await rig.write({
      'order/version.txt': '0',
      'resources/bus.yaml': component('bus', type, {...metadata, redisHost: `localhost:${await freePort()}`}),
      '../home/counts': ''
    })
    await rig.template([
      {
        appID: 'order',
        autoPort: true,
        watch: true,
        command: [process.execPath, SUBSCRIBER],
        env: {COUNT_FILE: counts, PUBSUB: 'bus'},
        resourcesPath: '../resources',
        ...wishes
      }
    ])
    const run = rig.pillion(['run', '-f', '.'])
    const {http: port} = await run.ports('order')
    const base = `http://127.0.0.1:${port}`
    const isSubscribed = async (): Promise<boolean> =>
      (await (await fetch(`${base}/v1.0/metadata`)).text()).includes('"topic":"orders"')
    await run.waitForLine('Writing log files')
    while (!(await isSubscribed())) await pause(5)
    const publisher = {published: 0, isOver: false}
    const publishing = publishTo(base, publisher)
    for (let save = 1; save <= RELOADS; save++) {
      await rig.write({'order/version.txt': save.toString()})
      await run.waitForLine('order: reloaded', {nth: save})
      const least = FULL ? (MESSAGES / RELOADS) * save : 0
      while (publisher.published < least) await pause(5)
    }
    publisher.isOver = true
    await publishing
    const {published} = publisher
    const delivered = (): readonly string[] => readFileSync(counts, 'utf8').trim().split('\n')
    while (delivered().length < published) await pause(5)
    t.same(
      delivered(),
      Array.from({length: published}, (_, n) => n.toString())
    )
    t.ok(published >= MESSAGES, `${published} messages over ${RELOADS} reloads`)
  })
