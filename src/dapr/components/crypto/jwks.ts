import {resolve} from 'node:path'
import {fileURLToPath} from 'node:url'
import {orElse} from '../../../model/or-else.ts'
import {messageOf} from '../../../model/errors.ts'
import {parseSecret} from '../../../model/exact-json.ts'
import {isObject} from '../../../model/is-object.ts'
import {readTextFile} from '../../../model/read-file.ts'
import {WebTarget} from '../bindings/http/web-target.ts'
import type {OpenComponent} from '../component.ts'
import type {CryptoProvider} from '../crypto-provider.ts'
import {keyOfJwk, type OwnKey, wrapBy} from './parse-key.ts'

/** Age in ms at which a key set of a URL is fetched again, unless the component has its own (components-contrib: crypto/jwks). */
const REFRESH_MS = 10 * 60_000
const REQUEST_MS = 30_000
/** Maximum size of a key set at a URL. */
const MAX_SET_BYTES = 1 << 20

/** The keys of a set by `kid`, not parsed yet. */
type KeySet = ReadonlyMap<string, unknown>

type Source = () => Promise<KeySet>

/** `crypto.dapr.jwks`: keys of a JSON Web Key Set at a URL, in a file, or in the property itself, plain or as base64. */
export const open: OpenComponent<CryptoProvider> = async ({properties, folder, env, warn, name: component}) => {
  const written = properties.text('jwks').trim()
  const fail = (why: string): never => properties.fault('jwks', why)
  if (written === '') fail("failed to load metadata: metadata property 'jwks' is required")
  const refreshMs = properties.durationMs('minRefreshInterval', REFRESH_MS, 1000)
  const timeoutMs = properties.durationMs('requestTimeout', REQUEST_MS, 1000)
  const isUrl = /^https?:\/\//i.test(written)
  if (isUrl && !URL.canParse(written)) fail(`"${written}" is no URL`)
  const shown = (text: string): string => properties.shown('jwks', text)
  const target = isUrl ? new WebTarget({url: written, shown, env, timeoutMs, maxBytes: MAX_SET_BYTES + 1}) : undefined
  const ask: Source =
    target === undefined ? sourceIn(written, folder) : async () => fetched(target, new URL(written).host)
  const find = kept(ask, isUrl ? refreshMs : 0, why => warn(`component ${component}: ${why}`))
  await find().catch((error: unknown) => fail(`failed to load the JWKS: ${messageOf(error)}`))
  return {capabilities: [], ...wrapBy(async name => keyNamed(await find(), name)), close: async () => target?.close()}
}

function keyNamed(keys: KeySet, name: string): OwnKey {
  const found = keys.get(name)
  if (found === undefined) throw new Error('key not found')
  return keyOfJwk(found)
}

/** Returns the source of keys: JSON, base64 of JSON, or else a path, which is read at each call. */
function sourceIn(written: string, folder: string): Source {
  if (written.startsWith('{')) return async () => keysIn(written)
  const keys = orElse(() => keysIn(Buffer.from(written, 'base64').toString()), undefined)
  if (keys !== undefined) return async () => keys
  const path = resolve(folder, written.startsWith('file://') ? fileURLToPath(written) : written)
  return async () => keysIn(readTextFile(path))
}

/** Caches a key set for `refreshMs`, or until it can be fetched again. Apps do not notice a half-written file, or see its path. */
function kept(ask: Source, refreshMs: number, warn: (why: string) => void): Source {
  let latest: {readonly keys: KeySet; readonly at: number} | undefined
  let asking: Promise<KeySet> | undefined
  let warned = ''
  return async () => {
    if (latest !== undefined && performance.now() - latest.at < refreshMs) return latest.keys
    asking ??= ask().finally(() => (asking = undefined))
    try {
      latest = {keys: await asking, at: performance.now()}
      warned = ''
    } catch (error) {
      if (latest === undefined) throw error
      // warns once of each error: the file is read at each call
      if (warned !== messageOf(error)) warn(`its key set could not be refreshed: ${messageOf(error)}`)
      warned = messageOf(error)
      latest = {...latest, at: performance.now()}
    }
    return latest.keys
  }
}

async function fetched(target: WebTarget, host: string): Promise<KeySet> {
  const headers = new Map([['Accept', 'application/json']])
  const {status, data} = await target.send({method: 'GET', path: '', headers, body: undefined})
  if (status < 200 || status > 299) throw new Error(`${host} answered ${status}`)
  if (data.length > MAX_SET_BYTES) throw new Error(`the answer of ${host} is larger than 1 MiB`)
  return keysIn(data.toString())
}

function keysIn(text: string): KeySet {
  const set = parseSecret(text)
  const keys = isObject(set) ? set['keys'] : undefined
  if (!Array.isArray(keys)) throw new Error('it is no JWKS: there is no list "keys"')
  const all = keys as readonly (Readonly<Record<string, unknown>> | null)[]
  return new Map(all.flatMap(key => (typeof key?.['kid'] === 'string' ? [[key['kid'], key] as const] : [])))
}
