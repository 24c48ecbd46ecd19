import {createHash, createHmac, randomBytes, timingSafeEqual} from 'node:crypto'
import {linkSync, lstatSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {codeOf, UserError} from '../../model/errors.ts'

const KEY_BYTES = 32
const KEY_FILE = 'dashboard.key'

/** The tokens of a run's page, the same for each run of a template, so that a page outlives a run. */
export interface PageTokens {
  readonly full: string
  /** The token that allows only GET. */
  readonly readOnly: string
}

/** Access of a token; '': none. */
export type Access = 'full' | 'read-only' | ''

/** Returns the tokens for a template: HMAC-SHA-256 by the user's key, base64url. */
export function tokensFor(key: Buffer, template: string): PageTokens {
  const sign = (access: Access): string =>
    createHmac('sha256', key).update(`${access}\0${template}`).digest('base64url')
  return {full: sign('full'), readOnly: sign('read-only')}
}

/** Hashes a token: all digests have the same length, so that they can be compared in constant time. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Returns the access of a token, in constant time for wrong ones. */
export function accessOf(token: string, {full, readOnly}: PageTokens): Access {
  const given = digest(token)
  const isFull = timingSafeEqual(given, digest(full))
  const isReadOnly = timingSafeEqual(given, digest(readOnly))
  if (isFull) return 'full'
  return isReadOnly ? 'read-only' : ''
}

/** Reads the user's key, or makes it, in a folder that only the user can read. Throws a UserError for an invalid key. */
export function readKey(folder: string): Buffer {
  const path = join(folder, KEY_FILE)
  try {
    return check(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
  // a link appears together with its content, and only if no other run was faster
  const made = `${path}.${randomBytes(6).toString('hex')}`
  try {
    writeFileSync(made, randomBytes(KEY_BYTES), {flag: 'wx', mode: 0o600})
    linkSync(made, path)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  } finally {
    rmSync(made, {force: true})
  }
  return check(path)
}

function check(path: string): Buffer {
  const {mode, size} = lstatSync(path)
  if (size !== KEY_BYTES || (mode & 0o077) !== 0)
    throw new UserError(`${path} is not a key for the dashboard`, {explanation: 'Remove it: a new one is created.'})
  return readFileSync(path)
}
