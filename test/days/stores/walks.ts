import {mock} from 'node:test'
import {setImmediate as turn} from 'node:timers/promises'
import {Random} from '../../fuzz/random.ts'
import type {WalkKind, WalkStep} from '../walks.ts'
import {getAll} from './asks.ts'
import {House, KEYS, NAMES, STORES} from './house.ts'
import {KINDS} from './steps.ts'

const BAG = Object.entries(KINDS).flatMap(([kind, [weight]]) => Array<string>(weight).fill(kind))

/** Makes the steps of a walk; gives what was wrong. */
async function walkStores(
  seed: number,
  steps: readonly WalkStep[],
  tally?: Map<string, number>
): Promise<readonly string[]> {
  mock.timers.enable({apis: ['Date'], now: 1_800_000_000_000})
  const house = await House.open(seed)
  const outcry = (error: unknown): void =>
    house.fault(`nobody handles: ${error instanceof Error ? (error.stack ?? '') : String(error)}`)
  process.on('unhandledRejection', outcry)
  try {
    for (const {kind, a, b, isHurried} of steps) {
      const [, act] = KINDS[kind] ?? [0, () => undefined]
      await act(house, new Random(kind, a, b))
      tally?.set(kind, (tally.get(kind) ?? 0) + 1)
      if (!isHurried) await house.rest()
      if (house.faults.length > 0) break
    }
    if (house.faults.length === 0) await end(house)
  } catch (error) {
    house.fault(`the walk itself failed: ${error instanceof Error ? (error.stack ?? '') : String(error)}`)
  }
  await house.close()
  process.off('unhandledRejection', outcry)
  mock.timers.reset()
  return house.faults
}

/** All files are right at last: then each app finds all that was saved, and its subscriptions have the last value. */
async function end(house: House): Promise<void> {
  await house.rest()
  for (const name of NAMES) house.edit(name, 'put back')
  await house.rest()
  for (const app of house.apps)
    for (const store of Object.keys(STORES)) {
      const reads = await getAll(await app.blocks(), 'grpc', store, KEYS)
      for (const [at, key] of KEYS.entries()) {
        const wanted = house.models.get(store)?.find(key)?.value
        if (reads[at]?.value !== wanted)
          house.fault(
            `${app.name} finds ${JSON.stringify(reads[at]?.value)} at ${key} of ${store}, and not ${JSON.stringify(wanted)}`
          )
      }
    }
  for (let turns = 0; turns < 20; turns++) await turn()
  for (const app of house.apps)
    for (const [, value] of app.told)
      if (value !== house.value) house.fault(`a subscription has the value ${value}, and not ${house.value}`)
}

export const STORE_WALKS: WalkKind = {
  flag: 'stores',
  kinds: KINDS,
  invented: (seed, count) => {
    const random = new Random('stores', seed)
    return Array.from({length: count}, () => ({
      kind: random.pick(BAG),
      a: random.below(1000),
      b: random.below(1000),
      isHurried: random.oneIn(3)
    }))
  },
  walk: async (seed, steps, tally) => ({faults: await walkStores(seed, steps, tally)}),
  sortOf: ([fault = '']) => fault.replaceAll(/\S*\d+\S*/g, '_')
}
