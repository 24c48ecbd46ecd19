/**
 * `npm run soak [-- kind …] [--minutes M] [--calls N] [--looks] [--picture FILE]`: a run under a load that goes on, until both the
 * minutes and the calls are over; what the run takes for itself in the second half of that time must be what it took in the first.
 * The picture (SVG) shows it over the time.
 */
import {writeFile} from 'node:fs/promises'
import {parseArgs} from 'node:util'
import {curves, type Look} from './curves.ts'
import {day} from './soaks/day.ts'
import {mixed} from './soaks/mixed.ts'
import type {Soak} from './soaks/soak.ts'
import {withRig} from './tools.ts'
import {usageOf, type Usage} from '../test/rig/usage.ts'

const SOAKS: readonly Soak[] = [mixed, day]

/** Unshared memory may grow by so much from one half to the other. */
const MAX_GROWTH_MB = 5
/** Connections come and go. */
const MAX_MORE_DESCRIPTORS = 8
/** The first looks see a program whose heap is still finding its size. */
const WARM_AFTER = 0.3

const {values, positionals} = parseArgs({
  options: {
    minutes: {type: 'string', default: '10'},
    calls: {type: 'string', default: '1000000'},
    looks: {type: 'boolean'},
    picture: {type: 'string'}
  },
  allowPositionals: true
})

async function soaked(soak: Soak): Promise<readonly Look[]> {
  return withRig(async rig => {
    const load = await soak.open(rig)
    const looks: Look[] = []
    const begin = performance.now()
    const end = begin + Number(values.minutes) * 60_000
    const look = async (made: number): Promise<void> => {
      await load.settle?.()
      const seen = {...(await usageOf(load.pid)), at: performance.now() - begin}
      looks.push(seen)
      if (values.looks === true) console.log(`${made} calls: ${JSON.stringify(seen)}`)
    }
    await look(0)
    for (let made = 0; performance.now() < end || made < Number(values.calls);) {
      made += await load.step()
      await look(made)
    }
    await load.close()
    return looks
  })
}

const quantile = (part: number, numbers: readonly number[]): number =>
  [...numbers].toSorted((a, b) => a - b)[Math.floor(numbers.length * part)] ?? Number.NaN

/** Memory goes up and down by 30 MB as V8 collects: what is left after that tells what is kept. */
const FLOOR = 0.1
const MEDIAN = 0.5

/** What stands in the halves, and whether one is as good as the other. */
function judged(looks: readonly Look[]): {readonly text: string; readonly isFlat: boolean} {
  const last = looks.at(-1)?.at ?? 0
  const warm = looks.filter(({at}) => at >= last * WARM_AFTER)
  const halves = [warm.filter(({at}) => at < last / 2), warm.filter(({at}) => at >= last / 2)]
  const of = (key: keyof Usage, part = MEDIAN): readonly number[] =>
    halves.map(half =>
      quantile(
        part,
        half.map(look => look[key])
      )
    )
  const [[mb = NaN, moreMb = NaN], [fds = NaN, moreFds = NaN], [processes = NaN, moreProcesses = NaN]] = [
    of('unsharedMegabytes', FLOOR),
    of('descriptors'),
    of('processes')
  ]
  const isFlat = moreMb <= mb + MAX_GROWTH_MB && moreFds <= fds + MAX_MORE_DESCRIPTORS && moreProcesses <= processes
  const text = `unshared memory from below ${mb.toFixed(1)} → ${moreMb.toFixed(1)} MB, descriptors ${fds} → ${moreFds}, processes ${processes} → ${moreProcesses}`
  return {text: `${text}; ${looks.length} looks in ${(last / 60_000).toFixed(1)} min`, isFlat}
}

const unknown = positionals.filter(name => !SOAKS.some(soak => soak.name === name))
if (unknown.length > 0) {
  console.error(`no soak ${unknown.join(', ')}; there are ${SOAKS.map(({name}) => name).join(', ')}`)
  process.exitCode = 1
}
for (const soak of unknown.length > 0 ? [] : SOAKS) {
  if (positionals.length > 0 && !positionals.includes(soak.name)) continue
  const looks = await soaked(soak)
  const {text, isFlat} = judged(looks)
  if (values.picture !== undefined) await writeFile(values.picture, curves(looks, text))
  console.log(`${soak.name}: ${text}: ${isFlat ? 'flat' : 'NOT FLAT'}`)
  if (!isFlat) process.exitCode = 1
}
