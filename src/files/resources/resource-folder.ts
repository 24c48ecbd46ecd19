import {readdirSync} from 'node:fs'
import {join, relative} from 'node:path'
import {isShortage} from '../../model/errors.ts'

/**
 * The resource files of a folder, in the order of their names; none if it cannot be read, or is not there, as may be with the default
 * one. Throws where no descriptor is free: the files are there all the same.
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

/** A path as people read it: from the working folder where it is below that. */
export function shownFrom(cwd: string, path: string): string {
  const short = relative(cwd, path)
  return short.startsWith('..') ? path : short
}
