import {readdir} from 'node:fs/promises'
import {basename, join} from 'node:path'
import {codeOf} from '../../model/errors.ts'
import {logFileStem, logStart, stemOf} from './log-file.ts'
import {openKeptLog, logPathOf} from './log-parts.ts'
import {byLastWrite} from './old-logs.ts'
import {endOfLog, type LogText, readPart, startOfLastIn} from './log-reader.ts'
import {idInName, type Plan} from '../../model/plan.ts'

export interface KeptWanted {
  /** The id of an app, or the name of an instance or a version, as its lines have it. */
  readonly id: string
  /** Number of lines from the end; -1: all. */
  readonly tail: number
  /** ms since 1970; 0: no limit. */
  readonly since: number
}

export interface KeptLog {
  /** latin1 */
  readonly texts: AsyncIterable<string>
  /** Some lines may be older than `since`: a file contains no times of single lines. */
  readonly hasOlder: boolean
}

/** The latest log file of an app that runs of a template have left. */
export async function keptLog(plan: Plan, {id, tail, since}: KeptWanted): Promise<KeptLog | undefined> {
  const ids = [id, idInName(id)]
  const folders = new Set(plan.apps.filter(app => ids.includes(app.id)).map(({logs}) => logs.folder))
  const stem = logFileStem(id, 'app')
  const paths = (await Promise.all([...folders].map(logsIn))).flat().filter(path => stemOf(basename(path)) === stem)
  const newest = (await byLastWrite(paths)).at(-1)
  if (newest === undefined) return undefined
  const open = async (): Promise<LogText> => openKeptLog(newest)
  const {size, mtimeMs} = await endOfLog(open)
  const isOld = mtimeMs < since
  const from = isOld ? size : tail < 0 ? 0 : await startOfLastIn(open, tail, size)
  return {texts: readPart(open, from, size), hasOlder: !isOld && logStart(newest) < since}
}

async function logsIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).map(name => join(folder, logPathOf(name)))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}
