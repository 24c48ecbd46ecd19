import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import {served} from '../../rig/run-control.ts'
import {runOf} from '../../rig/listed.ts'
import type {LeasedSidecar, RunListing} from '../../../src/control/run-control.ts'
import {register, type Registration} from '../../../src/control/server.ts'
import {PeerRuns} from '../../../src/control/peer-runs.ts'
import type {Admission, Held} from '../../../src/proxy/gateway/admission.ts'
import type {Call} from '../../../src/model/call.ts'
import {aCall} from '../../rig/made-call.ts'

const OWN = '0'.repeat(32)

const open = (t: Test, more: Readonly<Record<string, string>> = {}): {folder: string; peerRuns: PeerRuns} => {
  const folder = mkdtempSync(join(tmpdir(), 'n-'))
  const env = {PILLION_RUNTIME_DIR: folder, ...more}
  const peerRuns = new PeerRuns({
    env,
    run: OWN,
    identify: id => ({appId: id, namespace: more['NAMESPACE'] ?? 'default', trustDomain: 'public'}),
    known: () => ['shop']
  })
  t.teardown(() => {
    peerRuns.close()
    rmSync(folder, {recursive: true, force: true})
  })
  return {folder, peerRuns}
}

interface Lender {
  readonly registration: Registration
  /** So many instances are ready from now on. */
  readonly turn: (ready: number) => void
  readonly asked: () => number
}

/** A run with one app, `stock`, whose sidecar has this port. */
const lender = async (
  t: Test,
  folder: string,
  {run, port, startedAt = 1}: {run: string; port: number; startedAt?: number}
): Promise<Lender> => {
  let asked = 0
  let ready = 1
  const listeners = new Set<() => void>()
  const closing = new AbortController().signal
  const leaseSidecar = (id: string): LeasedSidecar | undefined => {
    asked++
    if (id !== 'stock') return undefined
    return {
      address: {run, startedAt, hosts: ['127.0.0.1'], port, grpcPort: 8, key: 'key'},
      closing,
      ready: () => ready,
      onChange: listener => {
        listeners.add(listener)
        return () => listeners.delete(listener)
      }
    }
  }
  const list = (): RunListing => runOf(run, startedAt)
  const registration = await register(folder, {marker: run, graceMs: 1}, served({list, leaseSidecar}))
  t.teardown(async () => registration.withdraw())
  const turn = (count: number): void => {
    ready = count
    for (const listener of listeners) listener()
  }
  return {registration, turn, asked: () => asked}
}

const call = (callee: string): Call => aCall({caller: 'my shop', callee, path: '/x'})

const settled = async (answer: Admission | Held): Promise<Admission> =>
  'admitted' in answer ? answer.admitted : answer

t.test('many calls share one search; then the sidecar is known, and gets a header that names the caller', async t => {
  const {folder, peerRuns} = open(t, {DAPR_API_TOKEN: 'token', NAMESPACE: 'shops'})
  const {asked} = await lender(t, folder, {run: 'a'.repeat(32), port: 7})
  const answers = await Promise.all(Array.from({length: 50}, async () => settled(peerRuns.admit(call('stock')))))
  t.equal(asked(), 1)
  for (const answer of answers) t.ok(answer.ok)
  const known = peerRuns.admit(call('stock'))
  t.match(known, {
    ok: true,
    isLocal: false,
    token: 'token',
    pathPrefix: '/v1.0/invoke/stock/method',
    callerLine: 'Pillion-Caller: key/shops/my%20shop/public\r\n',
    pool: {port: 7},
    grpcPool: {port: 8},
    grpcFields: [
      ['dapr-app-id', 'stock'],
      ['pillion-caller', 'key/shops/my%20shop/public']
    ]
  })
  t.equal(asked(), 1)
})

t.test('a sidecar that refuses connections is searched again: another is used, the same is an error', async t => {
  const {folder, peerRuns} = open(t)
  const first = await lender(t, folder, {run: 'a'.repeat(32), port: 7, startedAt: 1})
  const one = call('stock')
  t.match(await settled(peerRuns.admit(one)), {ok: true, pool: {port: 7}})
  t.match(await settled(peerRuns.admit(one, true)), {
    ok: false,
    status: 500,
    error:
      'rpc error: code = Unavailable desc = connection error: dial tcp 127.0.0.1:7: connect: connection refused (the sidecar of "stock", which belongs to another run)'
  })
  t.equal(first.asked(), 2)
  const second = await lender(t, folder, {run: 'b'.repeat(32), port: 8, startedAt: 2})
  const other = call('stock')
  t.match(await settled(peerRuns.admit(other)), {ok: true, pool: {port: 7}})
  t.match(await settled(peerRuns.admit(other, true)), {ok: true, pool: {port: 8}}, 'another run that has the app')
  t.match(await settled(peerRuns.admit(other, true)), {ok: true, pool: {port: 7}})
  t.equal(second.asked(), 1)
})

t.test('calls go round robin over the ready instances of all runs that have the app', async t => {
  const {folder, peerRuns} = open(t)
  const first = await lender(t, folder, {run: 'a'.repeat(32), port: 7, startedAt: 1})
  const second = await lender(t, folder, {run: 'b'.repeat(32), port: 8, startedAt: 2})
  const portOf = async (): Promise<number> => {
    const answer = await settled(peerRuns.admit(call('stock')))
    return answer.ok ? answer.pool.port : 0
  }
  t.same([await portOf(), await portOf(), await portOf(), await portOf()], [7, 8, 7, 8])
  const ports = async (count: number): Promise<readonly number[]> => {
    const all: number[] = []
    for (let i = 0; i < count; i++) all.push(await portOf())
    return all.toSorted((a, b) => a - b)
  }
  second.turn(3)
  // what the other run has said is on its way
  while ((await ports(4)).filter(port => port === 8).length < 3) await new Promise(setImmediate)
  t.same(await ports(8), [7, 7, 8, 8, 8, 8, 8, 8])
  second.turn(0)
  while ((await ports(4)).includes(8)) await new Promise(setImmediate)
  t.same(await ports(3), [7, 7, 7], 'one that is not ready is passed over')
  first.turn(0)
  second.turn(1)
  while ((await ports(4)).includes(7)) await new Promise(setImmediate)
  second.turn(0)
  while (!(await ports(4)).includes(7)) await new Promise(setImmediate)
  t.same(await ports(2), [7, 7], 'where none is ready, calls wait in the oldest run')
  t.same([first.asked(), second.asked()], [1, 1], 'all this without another search')
})

t.test('the error for an unknown id lists all running apps, and each call searches again', async t => {
  const {folder, peerRuns} = open(t)
  const {asked} = await lender(t, folder, {run: 'a'.repeat(32), port: 7})
  for (let i = 1; i <= 2; i++) {
    t.match(await settled(peerRuns.admit(call('shopp'))), {
      ok: false,
      status: 500,
      error: 'couldn\'t find service: shopp (no app "shopp" runs here; did you mean "shop"?; running: shop)'
    })
    t.equal(asked(), i)
  }
})
