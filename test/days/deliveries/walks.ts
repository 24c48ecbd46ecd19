import {Random} from '../../fuzz/random.ts'
import {shrink} from '../shrink.ts'
import {House} from './house.ts'
import {answerAll, deliveryWalk, KINDS, NoSense, topicsOf, type DeliveryStep} from './steps.ts'
import {STREAMED} from './witness.ts'

/** How long all that waits may take at the end, and how much of it passes at once, in ms. */
const END_MS = 120_000
const PIECE_MS = 2000

/** Makes the steps of a walk; gives what was wrong. */
export async function walkDeliveries(
  steps: readonly DeliveryStep[],
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

const textOf = (steps: readonly DeliveryStep[]): string =>
  steps.map(({kind, a, b, isHurried}) => `${kind} ${a} ${b}${isHurried ? ' …' : ''}`).join(', ')

/** Steps as a failure prints them. */
export const deliveryWalkIn = (text: string): readonly DeliveryStep[] =>
  text.split(', ').map(each => {
    const [, kind = '', a, b, hurry] = /^(.+) (\d+) (\d+)( …)?$/.exec(each) ?? []
    if (!(kind in KINDS)) throw new Error(`no step: ${each}`)
    return {kind, a: Number(a), b: Number(b), isHurried: hurry !== undefined}
  })

/** What kind of failure it is, whatever it names. */
const sortOf = ([fault = '']: readonly string[]): string => fault.replaceAll(/\S*\d+\S*|\b[abcs]\b/g, '_')

/** Walks seeds one after the other, and prints what fails, shortened; false: something did. */
export async function walkAllDeliveries({
  seed: first,
  seeds,
  steps,
  walk,
  tries,
  isFirst
}: {
  readonly seed: number
  readonly seeds: number
  readonly steps: number
  readonly walk?: string | undefined
  readonly tries: number
  readonly isFirst: boolean
}): Promise<boolean> {
  const tally = new Map<string, number>()
  let failed = 0
  for (let seed = first; seed < first + seeds; seed++) {
    const whole = walk === undefined ? deliveryWalk(seed, steps) : deliveryWalkIn(walk)
    const faults = await walkDeliveries(whole, tally)
    if (faults.length === 0) continue
    failed++
    const fails = async (part: readonly DeliveryStep[]): Promise<boolean> =>
      sortOf(await walkDeliveries(part)) === sortOf(faults)
    const shortest = tries > 0 ? await shrink(whole, fails, tries) : whole
    console.log(`seed ${seed}: ${faults.join('; ')}`)
    console.log(`  ${shortest.length} steps: --deliveries --seed ${seed} --walk '${textOf(shortest)}'`)
    if (isFirst) break
  }
  console.log(`${seeds} seeds of ${steps} steps, ${failed} failed`)
  console.log(`made: ${[...tally].map(([kind, n]) => `${n} × ${kind}`).join(', ')}`)
  return failed === 0
}
