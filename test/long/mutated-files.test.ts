/** Projects that are mutated at random are right, or wrong with a message at its place. More of them: PILLION_CASES=2000, PILLION_SEED. */
import {once} from 'node:events'
import {Worker} from 'node:worker_threads'
import t from 'tap'
import {mutatedFiles} from '../fuzz/files.ts'
import {Random} from '../fuzz/random.ts'
import type {Told} from '../fuzz/reader.ts'

const COUNT = Number(process.env['PILLION_CASES'] ?? 300)
const SEED = Number(process.env['PILLION_SEED'] ?? 1)
/** A project is read in some milliseconds. */
const HANGS_AFTER_MS = 20_000

t.setTimeout(300_000)

t.test('files mutated at random are read, or refused with a message at a place in their text', async t => {
  const worker = new Worker(new URL('../fuzz/reader.ts', import.meta.url))
  t.teardown(async () => worker.terminate())
  const verdicts = {right: 0, wrong: 0}
  for (let index = 0; index < COUNT; index++) {
    const files = mutatedFiles(new Random(SEED, 'files', index))
    const answer = once(worker, 'message', {signal: AbortSignal.timeout(HANGS_AFTER_MS)})
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has none
    worker.postMessage(files)
    const [told] = (await answer.catch((error: unknown) => [{fault: String(error)}])) as [Told]
    if ('fault' in told) {
      t.fail(`case ${index} of seed ${SEED}: ${told.fault}`, {files})
      return
    }
    verdicts[told.verdict]++
  }
  // otherwise mutations are too wild, or too tame
  t.ok(verdicts.right > 0 && verdicts.wrong > 0, JSON.stringify(verdicts))
})
