import type {Rig} from '../test/rig/rig.ts'
import type {Program} from '../test/rig/program.ts'
import {inRounds, type Measure, type MeasureName, type Scale, type Unit} from './figure.ts'
import {daprd, startDaprdPair} from './lanes.ts'
import type {Load} from './load.ts'
import {startNginx} from './nginx.ts'
import {echoServer, freePorts, isInstalled, withRig} from './tools.ts'

/** Two apps, the caller and the callee. */
export interface Pair {
  readonly program: Program
  /** The callee through the caller's sidecar. */
  readonly url: string
  readonly calleePort: number
}

/** What a round of calls at a URL gives. */
export interface Called {
  readonly requests: number
  readonly value: number
}

interface Comparison {
  readonly name: MeasureName
  readonly unit: Unit
  readonly call: (url: string, seconds: number) => Promise<Called>
}

/** The same app behind something else, or behind nothing. */
type PeerName = 'nginx' | 'nginx, headers' | 'direct' | 'daprd'

/**
 * Rounds of calls at the sidecar of one app for another, and in turn at nginx, at the app itself and at Dapr's sidecars, as far as
 * they are installed.
 */
export async function compared({rounds, seconds}: Scale, {name, unit, call}: Comparison): Promise<readonly Measure[]> {
  return withRig(async rig => {
    const {program, url, calleePort} = await startPair(rig)
    const peers = await startPeers(rig, calleePort)
    const round = async (length: number): Promise<ReadonlyMap<string, Called>> => {
      const done = new Map([['ours', await call(url, length)]])
      for (const [peer, at] of peers) if (at !== undefined) done.set(peer, await call(at, length))
      return done
    }
    const warm = await round(1)
    const results = await inRounds(rounds, async () => round(seconds))
    await checkContract(
      calleePort,
      [warm, ...results].flatMap(done => done.get('ours') ?? [])
    )
    program.signal('SIGTERM')
    await program.exited
    const column = (of: string): readonly number[] => results.flatMap(done => done.get(of)?.value ?? [])
    return [...peers.keys()].map(peerName => ({name, unit, ours: column('ours'), peer: column(peerName), peerName}))
  })
}

const urlAt = (port: number, path = '/plain'): string => `http://127.0.0.1:${port}${path}`

/** URLs of the app at `port`; undefined: this peer is not here. */
async function startPeers(rig: Rig, port: number): Promise<ReadonlyMap<PeerName, string | undefined>> {
  const command = daprd()
  const hasNginx = isInstalled('nginx')
  return new Map([
    ['nginx', hasNginx ? urlAt((await startNginx(rig, port)).port) : undefined],
    ['nginx, headers', hasNginx ? urlAt((await startNginx(rig, port, {hasHeaders: true})).port, '/echo') : undefined],
    ['direct', urlAt(port)],
    ['daprd', command && urlAt(await startDaprdPair(rig, command, port), '/v1.0/invoke/daprd-callee/method/plain')]
  ])
}

/** More keys of the template for both apps, and files that they name. */
export interface PairOptions {
  readonly folder?: string
  readonly common?: Readonly<Record<string, unknown>>
  readonly files?: Readonly<Record<string, string>>
}

/** Starts a run of two apps in a folder of the rig; one call has been answered. */
export async function startPair(rig: Rig, {folder = '.', common = {}, files = {}}: PairOptions = {}): Promise<Pair> {
  const server = await echoServer()
  const [callerPort = 0, calleePort = 0] = await freePorts(2)
  const apps = [
    {appID: 'caller', appPort: callerPort, appDirPath: '.', command: [server]},
    {appID: 'callee', appPort: calleePort, appDirPath: '.', command: [server], env: {EXPECT_CALLER: 'caller'}}
  ]
  const written = Object.entries({...files, 'dapr.yaml': JSON.stringify({version: 1, common, apps})})
  await rig.write(Object.fromEntries(written.map(([name, text]) => [`${folder}/${name}`, text])))
  const program = rig.pillion(['run', '-f', folder])
  const {http} = await program.ports('caller')
  const url = `http://127.0.0.1:${http}/v1.0/invoke/callee/method/echo`
  const answer = await fetch(url, {method: 'POST', body: 'once'})
  if ((await answer.text()) !== 'once' || !answer.ok) throw new Error(`the callee does not echo: ${answer.status}`)
  if (!answer.headers.has('traceparent')) throw new Error('the answer lacks traceparent')
  return {program, url, calleePort}
}

/** A lane that skips the contract, or the callee, cannot win. */
export async function checkContract(port: number, loads: readonly Pick<Load, 'requests'>[]): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/counts`)
  const {calls, lacking} = ((await answer.json()) as Record<'/echo', {calls: number; lacking: number}>)['/echo']
  const expected = loads.reduce((sum, {requests}) => sum + requests, 0)
  if (calls < expected) throw new Error(`${expected} answers, but the app saw ${calls} calls`)
  if (lacking > 0) throw new Error(`${lacking} of ${calls} calls lacked headers of the contract`)
}
