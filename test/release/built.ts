import {existsSync, readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

/** What `npm run release` has written, which comes first in this part. */
export const RELEASE = join(ROOT, 'build/release')

/** The file of it whose name ends so. */
export function released(end: string): string {
  const names = existsSync(RELEASE) ? readdirSync(RELEASE).filter(name => name.endsWith(end)) : []
  const [name] = names
  if (name === undefined || names.length > 1)
    throw new Error(`${names.length} files of build/release end with ${end}: node scripts/release.js linux-x64`)
  return join(RELEASE, name)
}

export const {version: VERSION} = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {version: string}
