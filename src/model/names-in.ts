import {readdirSync} from 'node:fs'

/** The names in a folder; none if it cannot be read: it is not there, is no folder, or belongs to another user. */
export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
