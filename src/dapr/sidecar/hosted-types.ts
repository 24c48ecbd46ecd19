import {jsonIn} from '../../model/is-json.ts'
import type {TypeSettings} from '../../work/actor/actor-host.ts'
import {memberIn} from './blocks/json-text.ts'
import {parseGoDuration} from '../../model/go-duration.ts'

/** Settings of a type for which the app reports none (Dapr: pkg/actors/internal/apis/config, defaults). */
export const USUAL_SETTINGS: TypeSettings = {
  idleMs: 3_600_000,
  drainMs: 2000,
  drains: true,
  isReentrant: false,
  maxDepth: 32
}

/** Shows unusable settings on the terminal. */
export type WarnOfSettings = (text: string) => void

/** Returns a duration of an app's configuration in ms. `given`: a text says why the value is invalid; then the default counts, with a warning. */
export function knownMs(
  key: string,
  given: number | string | undefined,
  defaultMs: number,
  warn: WarnOfSettings
): number {
  if (given === undefined || (typeof given === 'number' && given >= 0)) return given ?? defaultMs
  warn(`${key}: ${typeof given === 'string' ? given : 'it is negative'}. The default counts`)
  return defaultMs
}

/** Returns the maximum depth of a reentrancy chain. Values that are not numbers from 1 mean the default. */
export const knownDepth = (given: unknown): number =>
  typeof given === 'number' && given >= 1 ? Math.floor(given) : USUAL_SETTINGS.maxDepth

/** Returns the settings of each type. An entry for some types replaces the outer settings completely (Dapr: pkg/actors/api/config.go). */
export function typesWith(
  names: readonly string[],
  outer: TypeSettings,
  entries: readonly {readonly names: readonly string[]; readonly settings: TypeSettings}[],
  warn: WarnOfSettings
): ReadonlyMap<string, TypeSettings> {
  const types = new Map(names.map(name => [name, outer]))
  for (const {names: own, settings} of entries)
    for (const name of own)
      if (types.has(name)) types.set(name, settings)
      else warn(`an entry of entitiesConfig is for "${name}", which is not among its entities`)
  return types
}

function durationIn(value: unknown, key: string, defaultMs: number, warn: WarnOfSettings): number {
  const text = memberIn(value, key) ?? ''
  if (text === '') return defaultMs
  const given = typeof text === 'string' ? parseGoDuration(text) : `it is no text: ${JSON.stringify(text)}`
  return knownMs(key, given, defaultMs, warn)
}

function settingsIn(value: unknown, warn: WarnOfSettings): TypeSettings {
  const reentrancy = memberIn(value, 'reentrancy')
  return {
    idleMs: durationIn(value, 'actorIdleTimeout', USUAL_SETTINGS.idleMs, warn),
    drainMs: durationIn(value, 'drainOngoingCallTimeout', USUAL_SETTINGS.drainMs, warn),
    drains: memberIn(value, 'drainRebalancedActors') !== false,
    isReentrant: memberIn(reentrancy, 'enabled') === true,
    maxDepth: knownDepth(memberIn(reentrancy, 'maxStackDepth'))
  }
}

const listIn = (value: unknown, key: string): readonly unknown[] => {
  const list = memberIn(value, key)
  return Array.isArray(list) ? list : []
}

const namesIn = (value: unknown): readonly string[] =>
  listIn(value, 'entities').filter((name): name is string => typeof name === 'string' && name !== '')

/** Reads the types that an app hosts from its answer to `GET /dapr/config` (Dapr: pkg/config, ApplicationConfig). `text` '': none. */
export function hostedTypes(text: string, tell: WarnOfSettings): ReadonlyMap<string, TypeSettings> {
  const configuration = jsonIn(text)
  const names = namesIn(configuration)
  if (names.length === 0) return new Map()
  const warn: WarnOfSettings = words => tell(`GET /dapr/config: ${words}`)
  const entries = listIn(configuration, 'entitiesConfig')
  if ([configuration, ...entries].some(each => memberIn(each, 'remindersStoragePartitions') !== undefined))
    warn('remindersStoragePartitions has no effect: reminders are not kept in the state store')
  return typesWith(
    names,
    settingsIn(configuration, warn),
    entries.map(entry => ({names: namesIn(entry), settings: settingsIn(entry, warn)})),
    warn
  )
}
