import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import type {Program} from '../../test/rig/program.ts'
import type {Rig} from '../../test/rig/rig.ts'
import {inRounds, type Figure} from '../figure.ts'
import {paced} from '../paced.ts'
import {withRig} from '../tools.ts'

const SERVER = join(import.meta.dirname, '../../test/fixtures/apps/late-echo.mjs')
const CALLS_A_SECOND = 200
/** A save takes about 450 ms until the new process has taken over. */
const SAVE_EVERY_MS = 750

/** A callee that starts beside itself at each save, and the sidecar where it is called. */
interface Callee {
  readonly rig: Rig
  readonly program: Program
  readonly url: string
}

/**
 * The 99.9th percentile of the times of calls, 200 a second, for a callee that boots in 300 ms and overlaps: with twenty
 * saves in 15 s, and in turn without any. Throws where a call failed.
 */
export const overlap: Figure = {
  name: 'overlap',
  needs: ['go'],
  measure: async ({rounds, seconds}) => {
    const results = await inRounds(rounds, async () => roundOf(3 * seconds))
    return [
      {
        name: 'overlap: p99.9, saves',
        unit: 'ms',
        ours: results.map(({saved}) => saved),
        peer: results.map(({quiet}) => quiet),
        peerName: 'no saves'
      }
    ]
  }
}

/** A run of its own, as thirty restarts in a minute are the most: the p99.9 of calls, in ms, without saves and with them. */
async function roundOf(seconds: number): Promise<{readonly quiet: number; readonly saved: number}> {
  return withRig(async rig => {
    const callee = await open(rig)
    await callsAt(callee.url, 1)
    const quiet = await callsAt(callee.url, seconds)
    const saved = await callsUnderSaves(callee, seconds)
    callee.program.signal('SIGTERM')
    await callee.program.exited
    return {quiet, saved}
  })
}

async function open(rig: Rig): Promise<Callee> {
  await rig.write({'callee/version.txt': '0'})
  await rig.template([
    {appID: 'callee', autoPort: true, watch: true, reload: 'overlap', command: ['node', SERVER]},
    {appID: 'caller', command: []}
  ])
  const program = rig.pillion(['run', '-f', '.'])
  const {http} = await program.ports('caller')
  return {rig, program, url: `http://127.0.0.1:${http}/v1.0/invoke/callee/method/echo`}
}

async function callsUnderSaves(callee: Callee, seconds: number): Promise<number> {
  const over = new AbortController()
  const count = Math.floor((seconds * 1000) / SAVE_EVERY_MS)
  const [p999] = await Promise.all([
    callsAt(callee.url, seconds).finally(() => over.abort()),
    saveEvenly(callee, count, over.signal)
  ])
  const answer = await fetch(callee.url, {method: 'POST', body: 'x'})
  if (answer.headers.get('version') !== count.toString()) throw new Error('old code answers')
  return p999
}

/** One save after the other, each when the one before is over; throws where the calls have ended before. */
async function saveEvenly({rig, program}: Callee, count: number, over: AbortSignal): Promise<void> {
  for (let nth = 1; nth <= count; nth++) {
    if (over.aborted) throw new Error(`there was time for ${nth - 1} saves only`)
    await rig.write({'callee/version.txt': nth.toString()})
    const [line] = await Promise.all([program.waitForLine('callee: reloaded', {nth}), pause(SAVE_EVERY_MS - 50)])
    if (!line.endsWith(', 0 lost')) throw new Error(line)
  }
}

/** Calls for so many seconds: the p99.9 in ms. */
async function callsAt(url: string, seconds: number): Promise<number> {
  return (await paced(url, CALLS_A_SECOND, seconds)).p999 / 1000
}
