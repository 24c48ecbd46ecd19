import {once} from 'node:events'
import {Worker} from 'node:worker_threads'
import {messageOf} from '../../src/model/errors.ts'
import {soon} from './connection.ts'
import {mutatedFiles, type Files} from './files.ts'
import type {Range} from './fuzz.ts'
import {Random} from './random.ts'
import type {Told} from './reader.ts'

/** What readers said: both numbers must be above 0, or mutations are too wild or too tame. */
export interface Verdicts {
  right: number
  wrong: number
}

/** Has mutated projects read. Throws for one that brings no verdict, and says how to see it again. */
export async function readCases({seed, from, count}: Range): Promise<Verdicts> {
  const worker = new Worker(new URL('reader.ts', import.meta.url))
  const verdicts: Verdicts = {right: 0, wrong: 0}
  try {
    for (let index = from; index < from + count; index++) {
      const files = mutatedFiles(new Random(seed, 'files', index))
      const told = await read(worker, files).catch((error: unknown) => ({fault: messageOf(error)}))
      if ('fault' in told)
        throw new Error(
          `${told.fault}\nnpm run fuzz -- --seed ${seed} --case files:${index}\n${JSON.stringify(files, null, 2)}`
        )
      verdicts[told.verdict]++
    }
  } finally {
    await worker.terminate()
  }
  return verdicts
}

async function read(worker: Worker, files: Files): Promise<Told> {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has none
  worker.postMessage(files)
  const [told] = (await soon(once(worker, 'message'), () => 'the reading')) as [Told]
  return told
}
