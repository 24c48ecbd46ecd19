import type {Rig} from '../test/rig/rig.ts'
import type {Program} from '../test/rig/program.ts'
import {inRounds, type Scale} from './figure.ts'
import {load, type Load} from './load.ts'
import {startNginx} from './nginx.ts'
import {echoServer, freePorts, isInstalled, withRig} from './tools.ts'

/** Two apps, the caller and the callee. */
export interface Pair {
  readonly program: Program
  /** The callee through the caller's sidecar. */
  readonly url: string
  readonly calleePort: number
}

interface Compared {
  readonly ours: readonly number[]
  readonly peer: readonly number[]
  readonly peerName: string
}

/**
 * Rounds of calls at the sidecar of one app for another, and in turn at nginx before the same app, where it is installed;
 * `valueOf` says which number of a load is meant.
 */
export async function againstNginx(
  {rounds, seconds}: Scale,
  connections: number,
  valueOf: (load: Load) => number
): Promise<Compared> {
  return withRig(async rig => {
    const {program, url, calleePort} = await startPair(rig)
    const candidates = [url]
    if (isInstalled('nginx'))
      candidates.push(`http://127.0.0.1:${(await startNginx(rig, calleePort)).port.toString()}/plain`)
    const round = async (length: number): Promise<readonly Load[]> =>
      inRounds(candidates.length, async n => load({url: candidates[n] ?? url, connections, seconds: length}))
    const warm = await round(1)
    const results = await inRounds(rounds, async () => round(seconds))
    await checkContract(
      calleePort,
      [warm, ...results].flatMap(([first]) => first ?? [])
    )
    program.signal('SIGTERM')
    await program.exited
    return {
      ours: results.flatMap(([first]) => first ?? []).map(valueOf),
      peer: results.flatMap(([, second]) => second ?? []).map(valueOf),
      peerName: candidates.length > 1 ? 'nginx' : 'nginx missing'
    }
  })
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
  const url = `http://127.0.0.1:${http.toString()}/v1.0/invoke/callee/method/echo`
  const answer = await fetch(url, {method: 'POST', body: 'once'})
  if ((await answer.text()) !== 'once' || !answer.ok)
    throw new Error(`the callee does not echo: ${answer.status.toString()}`)
  if (!answer.headers.has('traceparent')) throw new Error('the answer lacks traceparent')
  return {program, url, calleePort}
}

/** A lane that skips the contract, or the callee, cannot win. */
export async function checkContract(port: number, loads: readonly Load[]): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port.toString()}/counts`)
  const {calls, lacking} = ((await answer.json()) as Record<'/echo', {calls: number; lacking: number}>)['/echo']
  const expected = loads.reduce((sum, {requests}) => sum + requests, 0)
  if (calls < expected) throw new Error(`${expected.toString()} answers, but the app saw ${calls.toString()} calls`)
  if (lacking > 0) throw new Error(`${lacking.toString()} of ${calls.toString()} calls lacked headers of the contract`)
}
