import {readdir, rm} from 'node:fs/promises'
import {join} from 'node:path'
import {codeOf} from '../../errors.ts'
import {look} from '../../processes/look.ts'
import {homeOfCopies, isChanged, isDead, LEDGER, readLedger} from './ledger.ts'

export interface LeftCopies {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Told of each copy that is kept, in words. */
  readonly tell: (text: string) => void
}

/** The mark of a run. */
const MARK = /^[\da-f]{32}$/

/**
 * Removes the working copies of runs that were killed, but those in which files were changed: these are named, once, and
 * left. Runs that live, of which anything is uncertain, or of which a process lives, are left alone. Costs one look at a
 * folder when there is none.
 */
export async function sweepCopies({env, tell}: LeftCopies): Promise<void> {
  const home = homeOfCopies(env)
  for (const mark of (await namesIn(home)).filter(name => MARK.test(name))) {
    try {
      if (await isOver(join(home, mark), mark)) await tidy(join(home, mark), tell)
    } catch (error) {
      // another user's, or somebody is at it: it is left to the next one
      if (codeOf(error) === '') throw error
    }
  }
}

async function isOver(folder: string, mark: string): Promise<boolean> {
  const ledger = readLedger(folder)
  return ledger !== undefined && (await isDead(ledger)) && !(await isCarried(`PILLION_RUN=${mark}`))
}

async function tidy(folder: string, tell: LeftCopies['tell']): Promise<void> {
  const copies = [...(readLedger(folder)?.copies ?? [])]
  const kept = copies.filter(([name, made]) => isChanged(join(folder, name), made)).map(([name]) => name)
  for (const name of kept)
    tell(`files were changed in ${join(folder, name)}, which a run that was killed had left behind: it is kept`)
  for (const name of await namesIn(folder))
    if (name !== LEDGER && !kept.includes(name)) await rm(join(folder, name), {recursive: true, force: true})
  await rm(kept.length === 0 ? folder : join(folder, LEDGER), {recursive: true, force: true})
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(codeOf(error))) return []
    throw error
  }
}

/** Whether a process carries a mark: it may run in a copy. */
async function isCarried(mark: string): Promise<boolean> {
  const {all, carries} = await look()
  return all.some(({pid, isZombie}) => !isZombie && carries(pid, mark))
}
