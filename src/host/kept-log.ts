import {readdir, stat} from 'node:fs/promises'
import {join} from 'node:path'
import {codeOf} from '../errors.ts'
import {isLogOf} from '../logs/file.ts'
import {readPart, startOfLastIn} from '../logs/log-reader.ts'
import type {Plan} from '../plan.ts'

/** The newest log file that runs of a template have left of an app, as latin1 text; `tail` lines of it, -1: all. */
export async function keptLog(plan: Plan, id: string, tail: number): Promise<AsyncIterable<string> | undefined> {
  const folders = new Set(plan.apps.filter(app => app.id === id).map(({logs}) => logs.folder))
  const names = (await Promise.all([...folders].map(logsIn))).flat().filter(({name}) => isLogOf(name, id, 'app'))
  const newest = names.toSorted((a, b) => (a.name < b.name ? 1 : -1))[0]
  if (newest === undefined) return undefined
  const path = join(newest.folder, newest.name)
  const {size} = await stat(path)
  return readPart(path, tail < 0 ? 0 : await startOfLastIn(path, tail, size), size)
}

async function logsIn(folder: string): Promise<readonly {readonly folder: string; readonly name: string}[]> {
  try {
    return (await readdir(folder)).map(name => ({folder, name}))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}
