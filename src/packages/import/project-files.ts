import {existsSync, readFileSync} from 'node:fs'
import {join} from 'node:path'

/** The scripts that start a package, best first. */
export const SCRIPTS = ['dev', 'start:dev', 'start', 'serve'] as const

export const has = (folder: string, ...names: readonly string[]): boolean =>
  names.some(name => existsSync(join(folder, name)))

/** The text of a file, '' if there is none. */
export function readText(folder: string, name: string): string {
  try {
    return readFileSync(join(folder, name), 'utf8')
  } catch {
    return ''
  }
}

/** What package.json says of a package. */
export interface Package {
  readonly name?: unknown
  readonly main?: unknown
  readonly scripts?: Readonly<Record<string, unknown>>
  readonly workspaces?: unknown
}

/** The package.json of a folder; undefined if there is none, or if it is not JSON. */
export function readPackage(folder: string): Package | undefined {
  try {
    const read: unknown = JSON.parse(readText(folder, 'package.json'))
    return typeof read === 'object' && read !== null ? read : {}
  } catch {
    return undefined
  }
}
