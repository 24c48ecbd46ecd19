import {statSync, type Stats} from 'node:fs'
import {extname, join, resolve} from 'node:path'
import {getSystemErrorMessage} from 'node:util'
import {codeOf, messageOf} from '../../../model/errors.ts'
import {readTextBytes} from '../../../model/read-file.ts'
import type {OpenComponent} from '../component.ts'
import type {CryptoProvider} from '../crypto-provider.ts'
import {parseKey, type KeyForm, type OwnKey, wrapBy} from './parse-key.ts'
import {ownOf} from '../../../model/own.ts'

const FORMS: Readonly<Record<string, KeyForm>> = {'.json': 'jwk', '.pem': 'pem'}

/** `crypto.dapr.localstorage`: each key is a file of a folder, read at each call (components-contrib: crypto/localstorage). */
export const open: OpenComponent<CryptoProvider> = async ({properties, folder}) => {
  const written = properties.text('path')
  const fail = (why: string): never => properties.fault('path', `failed to load metadata: ${why}`)
  if (written === '') fail("metadata property 'path' is required")
  const root = resolve(folder, written)
  let found: Stats | undefined
  try {
    found = statSync(root)
  } catch (error) {
    fail(`could not stat path '${written}': ${whyOf(error)}`)
  }
  if (found?.isDirectory() !== true) fail(`path '${written}' is not a directory`)
  return {capabilities: [], ...wrapBy(async name => keyIn(root, name))}
}

/** Reads a key. Errors name the key, never its path. */
async function keyIn(root: string, name: string): Promise<OwnKey> {
  if (name.includes('..')) throw new Error("invalid key path: cannot contain '..'")
  let bytes: Buffer
  try {
    bytes = readTextBytes(join(root, name))
  } catch (error) {
    throw new Error(`failed to load key '${name}': ${whyOf(error)}`, {cause: error})
  }
  try {
    return parseKey(bytes, ownOf(FORMS, extname(name).toLowerCase()) ?? 'unknown')
  } catch (error) {
    throw new Error(`failed to parse key from secret: ${messageOf(error)}`, {cause: error})
  }
}

/** Describes an error without the path that the system's message contains. */
const whyOf = (error: unknown): string =>
  error instanceof Error && 'errno' in error && typeof error.errno === 'number'
    ? (getSystemErrorMessage(error.errno) ?? codeOf(error))
    : messageOf(error)
