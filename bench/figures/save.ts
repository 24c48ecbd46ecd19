import {setTimeout as pause} from 'node:timers/promises'
import type {Rig} from '../../test/rig/rig.ts'
import {inRounds, type Figure, type Measure} from '../figure.ts'
import {answerOf, bareTimes, firstAnswer, openOurs, openPeer, type Runner} from '../saved.ts'
import {peer} from '../peers.ts'
import {withRig} from '../tools.ts'

const CALLS_A_SECOND = 200
const HANDLER_MS = 50
const CALLED_FOR_MS = 1500

/** By the name of a runner, a number for each round. */
type Numbers = ReadonlyMap<string, readonly number[]>

export const save: Figure = {
  name: 'save',
  title: 'Saving',
  what: 'A server that needs 300 ms to boot. From the write of the file to the first answer of the new code, less its own boot and exit; and the calls that fail meanwhile, at 200 a second, each on a connection of its own, with answers that take 50 ms.',
  needs: ['npm'],
  measure: async ({rounds}) =>
    withRig(async rig => {
      const added = await ofAll(rig, 0, async runners => addedBySave(rig, runners, rounds))
      const lost = await ofAll(rig, HANDLER_MS, async runners => lostBySave(runners, rounds))
      return [...rowsOf('save → new code', 'ms', added), ...rowsOf('save: lost calls', 'calls', lost)]
    })
}

const PEERS = ['node --watch', 'nodemon']

function rowsOf(name: Measure['name'], unit: Measure['unit'], numbers: Numbers): readonly Measure[] {
  const ours = numbers.get('ours') ?? []
  return PEERS.map(peerName => ({name, unit, ours, peer: numbers.get(peerName) ?? [], peerName}))
}

async function ofAll(
  rig: Rig,
  takesMs: number,
  measure: (runners: readonly Runner[]) => Promise<Numbers>
): Promise<Numbers> {
  const nodemon = await peer('nodemon')
  const runners = [
    await openOurs(rig, takesMs),
    await openPeer(rig, {name: 'node --watch', command: ['node', '--watch', 'app.mjs'], takesMs}),
    ...(nodemon === undefined
      ? []
      : [await openPeer(rig, {name: 'nodemon', command: [...nodemon, '--quiet', 'app.mjs'], takesMs})])
  ]
  const numbers = await measure(runners)
  for (const runner of runners) await runner.close()
  return numbers
}

async function addedBySave(rig: Rig, runners: readonly Runner[], rounds: number): Promise<Numbers> {
  const numbers = new Map<string, number[]>(runners.map(({name}) => [name, []]))
  await inRounds(rounds, async round => {
    const bareMs = await bareTimes(rig)
    for (const runner of runners) {
      const [tookMs] = await Promise.all([firstAnswer(runner.url, (round + 1).toString()), runner.save(round + 1)])
      numbers.get(runner.name)?.push(tookMs - bareMs)
      await pause(300)
    }
  })
  return numbers
}

async function lostBySave(runners: readonly Runner[], rounds: number): Promise<Numbers> {
  const numbers = new Map<string, number[]>(runners.map(({name}) => [name, []]))
  await inRounds(rounds, async round => {
    for (const runner of runners) numbers.get(runner.name)?.push(await lostBy(runner, round + 1))
  })
  return numbers
}

/** Calls at an even pace, a save in their midst, and how many of them failed. */
async function lostBy(runner: Runner, version: number): Promise<number> {
  let lost = 0
  const calls: Promise<unknown>[] = []
  const begin = performance.now()
  let isSaved = false
  for (let ms = 0; ms < CALLED_FOR_MS; ms = performance.now() - begin) {
    while (calls.length < (ms / 1000) * CALLS_A_SECOND) calls.push(answerOf(runner.url).catch(() => lost++))
    if (!isSaved && ms > CALLED_FOR_MS / 3) {
      isSaved = true
      await runner.save(version)
    }
    await pause(2)
  }
  await Promise.all(calls)
  return lost
}
