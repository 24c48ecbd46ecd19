import {Random} from '../../fuzz/random.ts'
import type {WalkKind, WalkStep} from '../walks.ts'
import {House} from './house.ts'
import {answerAll, deliveryWalk, KINDS, NoSense, topicsOf} from './steps.ts'
import {STREAMED} from './witness.ts'

/** How long all that waits may take at the end, and how much of it passes at once, in ms. */
const END_MS = 120_000
const PIECE_MS = 2000

/** Makes the steps of a walk; gives what was wrong. */
export async function walkDeliveries(
  steps: readonly WalkStep[],
  tally?: Map<string, number>
): Promise<readonly string[]> {
  const house = new House()
  const {faults} = house.witness
  const outcry = (error: unknown): void =>
    house.witness.fault(`nobody handles: ${error instanceof Error ? (error.stack ?? '') : String(error)}`)
  process.on('unhandledRejection', outcry)
  house.components = [house.component(0, 'plain')]
  house.change()
  await house.open()
  house.start(topicsOf(new Random('first')), false)
  house.ready()
  await house.settle()
  try {
    for (const {kind, a, b, isHurried} of steps) {
      const [, act] = KINDS[kind] ?? [0, () => undefined]
      const isMade = await made(async () => act(house, new Random(kind, a, b)))
      if (isMade) tally?.set(kind, (tally.get(kind) ?? 0) + 1)
      if (house.isAsleep && house.isNeeded) house.start(topicsOf(new Random(kind, b, a)), false)
      if (!isHurried) {
        await house.settle()
        house.rest()
      }
      if (faults.length > 0) break
    }
    if (faults.length === 0) await end(house)
  } catch (error) {
    house.witness.fault(`the walk itself failed: ${error instanceof Error ? (error.stack ?? '') : String(error)}`)
  }
  process.off('unhandledRejection', outcry)
  return faults
}

async function made(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act()
    return true
  } catch (error) {
    if (error instanceof NoSense) return false
    throw error
  }
}

/** Everything is well at last: then all that is read must come, and be handled. */
async function end(house: House): Promise<void> {
  await house.settle()
  if (house.server === undefined) {
    house.components = [house.component(0, 'plain')]
    house.change()
  }
  if (house.process?.failsToList === true) house.end(true)
  for (let ms = 0; ms < END_MS; ms += PIECE_MS) {
    if (house.process === undefined && (!house.isAsleep || house.isNeeded)) house.start(topicsOf(new Random(ms)), false)
    if (house.process !== undefined && (!house.isListening || !house.queue.isOpen)) house.ready()
    for (const listing of house.listings) house.say(listing)
    answerAll(house)
    await house.pass(PIECE_MS)
    await house.settle()
  }
  const {server, witness, isAsleep} = house
  if (server === undefined) return
  const read = [...house.wanted.map(({topic}) => topic), ...(house.streams.length > 0 ? [STREAMED] : [])]
  for (const topic of read)
    for (const {id} of server.left(topic))
      witness.fault(`event ${id} of ${topic} waits ${isAsleep ? 'while its app sleeps' : 'for ever'}`)
  for (const each of house.servers)
    for (const component of each.components) {
      const topics = [...component.readers].map(reader => reader.topic).toSorted()
      const wanted = each === server && !component.isClosed ? read.toSorted() : []
      if (new Set(topics).size !== new Set(wanted).size)
        witness.fault(
          `it reads ${topics.join(' ')} of ${component.isClosed ? 'a closed' : 'an open'} component, not ${wanted.join(' ')}`
        )
    }
  for (const {topic, read: count} of house.backlogs) {
    const {waiting} = await count()
    if (waiting > 0) witness.fault(`${waiting} events of ${topic} are said to wait`)
  }
}

/** What kind of failure it is, whatever it names. */
const sortOf = ([fault = '']: readonly string[]): string => fault.replaceAll(/\S*\d+\S*|\b[abcs]\b/g, '_')

export const DELIVERIES: WalkKind = {
  flag: 'deliveries',
  kinds: KINDS,
  invented: deliveryWalk,
  walk: async (_, steps, tally) => ({faults: await walkDeliveries(steps, tally)}),
  sortOf
}
