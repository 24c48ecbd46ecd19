/** `npm run days -- --seed N --steps M`, with the kind of walk where it is not a day: see README.md. */
import {parseArgs} from 'node:util'
import {scriptOf} from './script.ts'
import {shrink} from './shrink.ts'
import {walkShortened} from './walks.ts'
import {walkSeeds} from './seeds.ts'
import type {Step} from './steps/step.ts'
import {textOf, walkIn, walkOf} from './steps/steps.ts'
import {lazyDays} from './template.ts'
import type {World} from './world.ts'
import {walk, type Finding, type Tally} from './walk.ts'

const {values} = parseArgs({
  options: {
    /** Several, with a walk each: all are walked in one process. */
    seed: {type: 'string', multiple: true, default: [Math.floor(Math.random() * 1e6).toString()]},
    /** A walk of these steps, as a failure prints them, instead of those that the seed makes. */
    walk: {type: 'string', multiple: true},
    steps: {type: 'string'},
    /** How many seeds, one after the other. */
    seeds: {type: 'string', default: '1'},
    real: {type: 'boolean', default: false},
    /** Half of the servers start with their first call, and sleep when they are idle. */
    lazy: {type: 'boolean', default: false},
    /** What outlives a run instead: workflows, reminders and jobs. */
    work: {type: 'boolean', default: false},
    /** With `--work`: each seed once more for each write, at which the run crashes. */
    crashes: {type: 'boolean', default: false},
    /** Worktrees and clones of one repository instead: the numbers of their ports; with `--real` the built program. */
    copies: {type: 'boolean', default: false},
    /** Events on their way to an app instead. */
    deliveries: {type: 'boolean', default: false},
    /** Edits of the template at any time instead: what runs is what a fresh run would run. */
    edits: {type: 'boolean', default: false},
    /** Commands at the built-in Redis and at redis-server instead. */
    redis: {type: 'boolean', default: false},
    /** Callers, an app, and the connections between them instead. */
    connections: {type: 'boolean', default: false},
    /** Ends with the first seed that fails. */
    first: {type: 'boolean', default: false},
    /** How often a failure is tried again to make it shorter; 0: it is shown as it came. */
    tries: {type: 'string'}
  }
})
const [seed = ''] = values.seed
const given = values.walk ?? []
const [only] = given
const numbers =
  given.length > 1 ? values.seed.map(Number) : Array.from({length: Number(values.seeds)}, (_, at) => Number(seed) + at)
/** Walks whose failures are made shorter step by step. */
const shortened = {
  work: async () => (await import('./work/walks.ts')).workWalks(values.crashes),
  deliveries: async () => (await import('./deliveries/walks.ts')).DELIVERIES,
  edits: async () => (await import('./edits/walks.ts')).EDITS
}
for (const [name, open] of Object.entries(shortened)) {
  if (!values[name as keyof typeof shortened]) continue
  const kind = await open()
  const {first: isFirst, steps: count = values.work ? 60 : 40, tries: most = 300} = values
  const walks = {seeds: numbers, steps: Number(count), tries: Number(most), walks: given, isFirst}
  process.exit((await walkShortened(walks, kind)) ? 0 : 1)
}
if (values.copies) {
  const {seeds, first: isFirst} = values
  const walks = {seed: Number(seed), seeds: Number(seeds), steps: Number(values.steps ?? 25), isFirst}
  const {walkAllCopies} = await import('./copies/number-walks.ts')
  process.exit((await walkAllCopies(walks)) ? 0 : 1)
}
/** Walks of seeds, and how many steps they take. */
const seeded = {
  redis: [200, async numbers => walkSeeds(numbers, 'redis', (await import('./redis/walk.ts')).walkRedis)],
  connections: [
    200,
    async numbers => {
      await walkSeeds(numbers, 'calls', (await import('./connections/call-walk.ts')).walkCalls)
      await walkSeeds(numbers, 'streams', (await import('./connections/stream-walk.ts')).walkStreams)
      await walkSeeds(numbers, 'grpc', (await import('./connections/grpc-walk.ts')).walkGrpc)
    }
  ]
} satisfies Record<string, [number, (numbers: Parameters<typeof walkSeeds>[0]) => Promise<void>]>
for (const [name, [usual, walkAll]] of Object.entries(seeded)) {
  if (!values[name as keyof typeof seeded]) continue
  await walkAll({seed: Number(seed), seeds: Number(values.seeds), steps: Number(values.steps ?? usual)})
  process.exit()
}
const steps = Number(values.steps ?? (values.real ? 50 : 200))
lazyDays.areOn = values.lazy
const tries = Number(values.tries ?? (values.real ? 40 : 500))
const tally: Tally = new Map()
const why = values.real ? (await import('./real/hardships.ts')).WHY_NO_LIMITS : ''
/** Each world replaces or starts what the other one must not have: only one is loaded. */
const worlds = values.real ? await import('./real/world.ts') : await import('./simulated/world.ts')
const opens = (seed: number) => async (): Promise<World> =>
  'RealWorld' in worlds ? worlds.RealWorld.open() : Promise.resolve(new worlds.SimulatedWorld(seed))

for (const [at, number] of numbers.entries()) {
  const from = performance.now()
  console.log(`seed ${number}, ${steps} steps`)
  const text = given[at] ?? only
  const whole = text === undefined ? walkOf(number, steps, values.real) : walkIn(text)
  const open = opens(number)
  const finding = await walk(whole, open, tally)
  console.log(`  ${finding === undefined ? 'as it must be' : finding.faults.join('; ')} (${seconds(from)})`)
  if (finding === undefined) continue
  process.exitCode = 1
  await explain({finding, seed: number}, whole.slice(0, finding.steps), open)
  if (values.first) break
}
if (why !== '') console.log(`no full disk, and no full table of descriptors: ${why}`)
console.log(`made: ${[...tally].map(([kind, n]) => `${n} × ${kind}`).join(', ')}`)

/** Makes a failure short, and shows how to repeat it by hand. */
async function explain(
  {finding: first, seed}: {readonly finding: Finding; readonly seed: number},
  made: readonly Step[],
  open: () => Promise<World>
): Promise<void> {
  let finding = first
  const sort = sortOf(first)
  const fails = async (part: readonly Step[]): Promise<boolean> => {
    const found = await walk(part, open)
    if (found === undefined || sortOf(found) !== sort) return false
    finding = found
    return true
  }
  let isSteady = false
  for (let left = Math.min(5, tries); left > 0 && !isSteady; left--) isSteady = await fails(made)
  const shortest = isSteady ? await shrink(made, fails, tries) : made
  const unsteady = tries > 0 ? 'it did not come again in five tries' : 'not tried again'
  const how = isSteady ? `${shortest.length} steps` : unsteady
  console.log(`\n${finding.report}\n# ${how}: --seed ${seed} --walk '${textOf(shortest)}'`)
  console.log(`${scriptOf(finding.actions)}${finding.faults.map(fault => `# ✗ ${fault}`).join('\n')}\n`)
}

/** What kind of failure it is, whatever apps and numbers it names: a shorter walk may fail for another reason. */
function sortOf({faults: [fault = '']}: Finding): string {
  return fault.replaceAll(/\b[a-z](\.\d+)?\b|\w*\d+/g, '_')
}

function seconds(from: number): string {
  return `${((performance.now() - from) / 1000).toFixed(1)} s`
}
