/**
 * Transactions of a store with an outbox while their run is killed at random moments: each event comes once for each committed
 * transaction, or again, and never without one. All of it: `TRANSACTIONS=1000 KILLS=20`; `SEED` repeats the moments.
 */
import {existsSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import type {Test} from 'tap'
import {ExecuteStateTransactionRequest} from '../../src/model/dapr/messages/state.generated.ts'
import type {Message} from '../../src/proxy/net/grpc/message-codec.ts'
import {DaprClient} from './dapr-client.ts'
import {freePort} from './free-port.ts'
import {component} from './resource-files.ts'
import type {Rig} from './rig.ts'

const TRANSACTIONS = Number(process.env['TRANSACTIONS'] ?? 60)
const KILLS = Number(process.env['KILLS'] ?? 4)
const SEED = Number(process.env['SEED'] ?? Date.now() % 1e6)

/** What stands in the name of a test. */
export const KILLED = `${TRANSACTIONS} transactions, ${KILLS} kills (SEED=${SEED})`

/** What a store with an outbox says besides where it is. */
export const OUTBOX = {outboxPublishPubsub: 'bus', outboxPublishTopic: 'orders'}

/** A store with an outbox, and how its keys are read from beside. */
export interface OutboxCase {
  /** Its files. */
  readonly resources: Readonly<Record<string, string>>
  readonly protocol: 'http' | 'grpc'
  /** All keys that it has. */
  readonly keys: () => Promise<readonly string[]>
}

/** Sends a transaction: kept, refused, or undefined where nobody knows. */
type Transact = (key: string) => Promise<boolean | undefined>

/** Writes one key in each transaction, and compares the events with what the store has. */
export async function killWithOutbox(t: Test, rig: Rig, {resources, protocol, keys}: OutboxCase): Promise<void> {
  const redis = await freePort()
  await rig.write({
    'resources/bus.yaml': component('bus', 'pubsub.redis', {
      redisHost: `localhost:${redis}`,
      processingTimeout: '500ms',
      redeliverInterval: '500ms'
    }),
    ...resources
  })
  const counts = join(rig.folder, 'events.txt')
  await rig.template([
    {
      appID: 'shop',
      autoPort: true,
      resourcesPath: '../resources',
      command: ['node', join(import.meta.dirname, '../fixtures/apps/subscriber.mjs')],
      env: {PUBSUB: 'bus', COUNT_FILE: counts}
    }
  ])
  let random = SEED
  const next = (): number => (random = (random * 48_271) % 2_147_483_647) / 2_147_483_647
  const acknowledged: string[] = []
  let run = rig.pillion(['run', '-f', '.'])
  // others after each kill: somebody else may have got a fixed one meanwhile
  let ports = await run.ports('shop')
  const transact = protocol === 'http' ? overHttp(() => ports.http) : overGrpc(t, () => ports.grpc)
  let kills = 0
  for (let begun = 0; begun < TRANSACTIONS; begun += 10) {
    const sent = Math.min(TRANSACTIONS, begun + 10)
    const batch = Array.from({length: sent - begun}, (_, at) => `k-${begun + at}`)
    const answers = batch.map(async key => {
      if ((await transact(key)) === true) acknowledged.push(key)
    })
    if (sent >= ((kills + 0.5) * TRANSACTIONS) / KILLS) {
      kills++
      await Promise.race(answers)
      for (let turns = next() * 300; turns > 0; turns--) await new Promise(setImmediate)
      await run.end('SIGKILL')
      run = rig.pillion(['run', '-f', '.'])
      ports = await run.ports('shop')
    }
    await Promise.all(answers)
  }
  const committed = new Set((await keys()).filter(key => key.includes('k-')).map(key => key.replace('shop||', '')))
  const events = (): readonly string[] => (existsSync(counts) ? readFileSync(counts, 'utf8').trim().split('\n') : [])
  while ([...committed].some(key => !events().includes(key)) && !run.hasExited) await pause(50)
  const all = events()
  t.comment(`${committed.size} committed, ${acknowledged.length} acknowledged, ${all.length} events`)
  t.ok(committed.size > TRANSACTIONS / 2, 'most are committed')
  const without = (list: readonly string[]): readonly string[] => list.filter(key => !committed.has(key))
  t.strictSame(without(all), [], 'no event without a transaction')
  t.strictSame(without(acknowledged), [], 'what was acknowledged is there')
  t.equal(new Set(all).size, committed.size)
  while ((await keys()).some(key => key.startsWith('outbox-')) && !run.hasExited) await pause(50)
  t.notOk(run.hasExited, 'no marker is left')
}

/** Asks until the sidecar is there. */
const overHttp =
  (port: () => number): Transact =>
  async key => {
    const body = JSON.stringify({operations: [{operation: 'upsert', request: {key, value: key}}]})
    for (;;) {
      try {
        const url = `http://127.0.0.1:${port()}/v1.0/state/store/transaction`
        return (await fetch(url, {method: 'POST', body})).status === 204
      } catch (error) {
        const {code = ''} = (error as {readonly cause?: {readonly code?: string}}).cause ?? {}
        if (code !== 'ECONNREFUSED') return undefined
        await pause(20)
      }
    }
  }

const UNAVAILABLE = 14

function overGrpc(t: Test, port: () => number): Transact {
  const clients = new Map<number, DaprClient>()
  const ask = async (key: string) => {
    const client = clients.get(port()) ?? new DaprClient(t, port())
    clients.set(port(), client)
    const operations = [{operationType: 'upsert', request: {key, value: Buffer.from(key)}}]
    const message = {storeName: 'store', operations} as unknown as Message<typeof ExecuteStateTransactionRequest>
    return client.call('ExecuteStateTransaction', [ExecuteStateTransactionRequest, message])
  }
  return async key => {
    for (;;) {
      const {code, message} = await ask(key)
      if (code !== UNAVAILABLE) return code === 0
      if (!message.includes('ECONNREFUSED')) return undefined
      clients.delete(port())
      await pause(20)
    }
  }
}
