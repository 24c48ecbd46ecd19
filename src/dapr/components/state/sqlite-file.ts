import {resolve} from 'node:path'
import type {Properties} from '../properties.ts'

/** SQLite's name for a database that is in no file. */
export const IN_MEMORY = ':memory:'

/** The file of a connection string, `data.db`, `file:data.db?mode=rwc`, `:memory:`, as seen from the folder of the app. */
export function sqliteFile(properties: Properties, folder: string): string {
  const text = textOf(properties)
  if (text === '') properties.fault('connectionString', 'missing connection string')
  const file = text.replace(/^file:/, '').replace(/\?.*$/s, '')
  return file === IN_MEMORY || /[?&]mode=memory\b/.test(text) ? IN_MEMORY : resolve(folder, file)
}

/** Whether the file is opened read-only: `file:data.db?mode=ro`. */
export const isReadOnly = (properties: Properties): boolean =>
  /[?&](?:mode=ro|immutable=1)(?:&|$)/.test(textOf(properties))

const textOf = (properties: Properties): string => properties.text('connectionString') || properties.text('url')
