import {readdirSync} from 'node:fs'
import {join, relative} from 'node:path'
import {isShortage} from '../../model/errors.ts'

/**
 * Returns the resource files of a folder in the order of their names; none if it is missing or unreadable. Throws if no descriptor is
 * free, as files may exist all the same.
 */
export function filesIn(folder: string): readonly string[] {
  try {
    const names = readdirSync(folder).filter(name => /\.ya?ml$/i.test(name))
    return names.toSorted().map(name => join(folder, name))
  } catch (error) {
    if (isShortage(error)) throw error
    return []
  }
}

/** Returns a path for people: relative if it is below the working folder. */
export function shownFrom(cwd: string, path: string): string {
  const short = relative(cwd, path)
  return short.startsWith('..') ? path : short
}
