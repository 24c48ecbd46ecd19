import {readdirSync} from 'node:fs'
import {join} from 'node:path'

/** The resource files of a folder, in the order of their names; none if there is no such folder, as may be with the default one. */
export function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter(name => /\.ya?ml$/i.test(name))
      .toSorted()
      .map(name => join(folder, name))
  } catch {
    return []
  }
}
