import {Random} from '../../fuzz/random.ts'
import type {WalkKind, WalkStep} from '../walks.ts'
import {current} from '../simulated/machine.ts'
import {differences} from './compare.ts'
import {House} from './house.ts'
import {ledgerOf} from './ledger.ts'
import {KINDS, NoSense, WEIGHTED} from './steps.ts'

/** Makes the steps of a walk; gives what was wrong. */
async function walkEdits(
  seed: number,
  steps: readonly WalkStep[],
  tally?: Map<string, number>
): Promise<readonly string[]> {
  const house = await House.open(seed)
  process.on('unhandledRejection', house.outcry)
  try {
    for (const {kind, a, b, isHurried} of steps) {
      house.machine.reseed(a * 1001 + b)
      const [, act] = KINDS[kind] ?? [0, () => undefined]
      if (await made(async () => act(house, new Random(kind, a, b)))) tally?.set(kind, (tally.get(kind) ?? 0) + 1)
      await house.machine.pass(isHurried ? ([0, 5, 60, 120, 250][b % 5] ?? 0) : 0)
      if (!isHurried && (await look(house))) tally?.set('comparison', (tally.get('comparison') ?? 0) + 1)
      if (house.faults.length > 0 || house.hasEnded) break
    }
    if (house.faults.length === 0) await end(house, steps.at(-1)?.isHurried !== true)
  } catch (error) {
    house.faults.push(`the walk itself failed: ${error instanceof Error ? (error.stack ?? '') : String(error)}`)
  }
  process.off('unhandledRejection', house.outcry)
  house.close()
  return house.faults
}

async function made(act: () => unknown): Promise<boolean> {
  try {
    await act()
    return true
  } catch (error) {
    if (error instanceof NoSense) return false
    throw error
  }
}

/** In quiet: nothing runs that nobody owns, and what runs is what a fresh run of the template would run. False: the template has a mistake. */
async function look(house: House): Promise<boolean> {
  const {machine, faults, calls} = house
  await house.rest()
  if (house.hasEnded || faults.length > 0) return false
  const pids = new Set(house.apps.map(({pid}) => pid))
  for (const {pid, id} of machine.living) if (!pids.has(pid)) faults.push(`process ${pid} of ${id} is nobody's`)
  if (house.mendFiles()) await house.rest()
  await begun(house)
  const isMistaken = await house.load().then(
    () => false,
    () => true
  )
  if (isMistaken || faults.length > 0 || house.hasEnded) return false
  faults.push(...(await differences(house, 1)))
  const isUnready = (callee: string): boolean => house.apps.some(({id, isReady}) => id === callee && !isReady)
  for (const {from, to, status} of calls.all)
    if (status === undefined && !isUnready(to)) faults.push(`a call from ${from} to ${to} has no answer`)
  return true
}

/** What somebody has stopped, or what has ended, is started again: a fresh run starts it, too. */
async function begun(house: House): Promise<void> {
  const {leftOut = []} = await house.load().catch(() => ({leftOut: []}))
  const isLeftOut = (app: string): boolean => leftOut.some(({id}) => id === app)
  for (let tries = 0; tries < 3; tries++) {
    // one that a profile leaves out may have been started, and have failed since, or run in another version
    const isUp = (app: string): boolean => house.apps.some(({id, state}) => id === app && state !== 'stopped')
    const down = house.apps.filter(each => isDown(each) && (isUp(each.id) || !isLeftOut(each.id)))
    if (down.length === 0) return
    for (const {id} of down) house.command(house.run?.control?.startApp(id))
    await house.rest()
  }
}

const isDown = ({state, isReady}: Pick<House['apps'][number], 'state' | 'isReady'>): boolean =>
  state === 'debugging' || (!isReady && !['asleep', 'starting', 'idle'].includes(state))

/** The run ends, and leaves nothing. */
async function end(house: House, isQuiet: boolean): Promise<void> {
  const {machine, faults, apps} = house
  const {lastGraceMs: _, ...ledger} = ledgerOf(machine)
  const grace = Math.max(0, ...[...ledger.opened].map(({runtime}) => runtime.plan.stop.timeoutMs))
  await house.down()
  await house.until(Promise.all(house.left))
  const {lastGraceMs, opened, held, followed, graces} = ledgerOf(machine)
  faults.push(...ledgerOf(machine).faults.splice(0))
  if (isQuiet && apps.length > 0 && lastGraceMs !== grace)
    faults.push(`the last grace is ${lastGraceMs} ms, not ${grace}`)
  for (const {pid, id} of machine.living) faults.push(`process ${pid} of ${id} is left`)
  for (const pid of graces.keys()) faults.push(`process ${pid} is watched`)
  for (const {runtime} of opened) faults.push(`the sidecar of ${runtime.name} is left`)
  for (const port of [...held.keys(), ...machine.bound.keys()]) faults.push(`port ${port} is left`)
  for (const roots of followed) faults.push(`${roots.join(' ')} is followed`)
  if (machine.fileListeners.size > 0) faults.push(`${machine.fileListeners.size} follow files`)
  await machine.pass(300_000)
  if (machine.timers > 0) faults.push(`${machine.timers} timers are left`)
  for (const {from, to, status} of house.calls.all)
    if (status === undefined) faults.push(`a call from ${from} to ${to} has no answer at the end`)
  if (current.machine !== machine) faults.push('another machine is left')
}

const invented = (seed: number, steps: number): readonly WalkStep[] => {
  const random = new Random('edits', seed)
  return Array.from({length: steps}, () => ({
    kind: random.pick(WEIGHTED),
    a: random.below(1000),
    b: random.below(1000),
    isHurried: random.oneIn(2)
  }))
}

/** What kind of failure it is, whatever it names. */
const sortOf = ([fault = '']: readonly string[]): string =>
  fault.replace(/ is .*/s, '').replaceAll(/\S*\d+\S*|\b[a-e]\b/g, '_')

export const EDITS: WalkKind = {
  flag: 'edits',
  kinds: KINDS,
  invented,
  walk: async (seed, steps, tally) => ({faults: await walkEdits(seed, steps, tally)}),
  sortOf
}
