/**
 * `npm run fuzz [-- --seconds N] [--seed S] [--case kind:number]`: mutated input for a run, and for the readers of files.
 * See README.md.
 */
import {parseArgs} from 'node:util'
import {withRig} from '../../bench/tools.ts'
import {messageOf} from '../../src/model/errors.ts'
import {atRest, compared, runCases, type Look} from './fuzz.ts'
import {KINDS} from './kinds.ts'
import {readCases} from './read-files.ts'
import {openTarget, type Target} from './target.ts'

const {values} = parseArgs({
  options: {
    seconds: {type: 'string', default: process.env['FUZZ_SECONDS'] ?? '60'},
    seed: {type: 'string', default: Date.now().toString()},
    kind: {type: 'string', default: ''},
    case: {type: 'string', default: ''}
  }
})
const seed = Number(values.seed)
const [name = '', number = ''] = values.case.split(':')
const wanted = name || values.kind
const kinds = KINDS.filter(each => [each.name, ''].includes(wanted))
const isWanted = [...KINDS.map(each => each.name), 'files', ''].includes(wanted)
if (!isWanted) throw new Error(`no kind ${wanted}; there are ${KINDS.map(each => each.name).join(', ')}, files`)
const FILES_OF_A_ROUND = 2000
/**
 * Cases before the first look, if they take no more than a part of the time: what a run keeps of the latest calls and answers is full
 * by then, and most series of its metrics are there, of which each family has 500 at most.
 */
const WARM_CASES = 3000
const WARM_PART = 1 / 3

/** One case again. */
async function again(target: Target): Promise<void> {
  const range = {seed, from: Number(number), count: 1}
  const [kind] = kinds
  await (kind === undefined ? readCases(range) : runCases(kind, range, target))
  console.log('no finding')
}

await withRig(async rig => {
  const target = await openTarget(rig)
  const round = async (from: number): Promise<Look> => {
    for (const each of kinds) await runCases(each, {seed, from: from * each.count, count: each.count}, target)
    if (wanted === '' || wanted === 'files')
      await readCases({seed, from: from * FILES_OF_A_ROUND, count: FILES_OF_A_ROUND})
    return atRest(target)
  }
  try {
    if (number !== '') return await again(target)
    console.log(`seed ${seed}`)
    const end = performance.now() + Number(values.seconds) * 1000
    const cases = kinds.reduce((sum, {count}) => sum + count, 0)
    const warmEnd = performance.now() + Number(values.seconds) * 1000 * WARM_PART
    let warm = 1
    let first = await round(0)
    for (; warm * cases < WARM_CASES && performance.now() < warmEnd; warm++) first = await round(warm)
    for (let rounds = warm; performance.now() < end; rounds++) {
      const now = await round(rounds)
      console.log(`${rounds + 1} rounds, ${target.good.made} good calls: ${compared(first, now).text}`)
      if (compared(first, now).isWorse) throw new Error(compared(first, now).text)
    }
  } finally {
    target.close()
  }
}).catch((error: unknown) => {
  console.error(messageOf(error))
  process.exitCode = 1
})
