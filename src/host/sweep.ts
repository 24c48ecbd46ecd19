import {endMarked} from '../app/ending.ts'
import type {Stray} from '../app/remains.ts'
import {findDead} from '../control/dead.ts'
import {UserError} from '../errors.ts'
import {sweepCopies} from './services/left-copies.ts'

export interface SweepOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Told of each process that is ended, in words. */
  readonly tell: (text: string) => void
}

/** So long after its grace the guardian of a run that was killed may still be at work. */
const GUARDIAN_MS = 1000

/**
 * Ends what runs that were killed have left behind, should their guardians not have done so, and removes their folders and
 * working copies. At once when there is none. Runs of which anything is uncertain are left alone.
 */
export async function sweep({env, tell}: SweepOptions): Promise<void> {
  const dead = await findDead(env).catch(nothingFrom)
  await Promise.all(
    dead.map(async ({mark, graceMs, spared, forget}) => {
      await endMarked({
        mark: `PILLION_RUN=${mark}`,
        spared: spared.map(life => `PILLION_LIFE=${life}`),
        patienceMs: graceMs + GUARDIAN_MS,
        graceMs,
        ended: stray => tell(wordsFor(stray))
      })
      await forget()
    })
  )
  await sweepCopies({env, tell})
}

/** A folder of runs that is open to others: nothing in it is to be trusted, and other commands name it. */
function nothingFrom(error: unknown): [] {
  if (error instanceof UserError) return []
  throw error
}

const wordsFor = ({pid, command}: Stray): string =>
  `ended process ${pid.toString()}, which a run that was killed had left behind: ${command}`
