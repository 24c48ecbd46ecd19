import type {TypeSettings} from '../../work/actor/actor-host.ts'
import {parseGoDuration} from '../../files/resources/go-duration.ts'

/** How actors are hosted of which an app says nothing (Dapr: pkg/actors/internal/apis/config, defaults). */
export const USUAL_SETTINGS: TypeSettings = {
  idleMs: 3_600_000,
  drainMs: 2000,
  drains: true,
  isReentrant: false,
  maxDepth: 32
}

type Json = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** A duration of the configuration; one that is none counts as left out, which is told. */
function durationIn(value: Json, key: string, defaultMs: number, warn: (text: string) => void): number {
  const text = value[key] ?? ''
  if (text === '') return defaultMs
  const ms = typeof text === 'string' ? parseGoDuration(text) : `it is no text: ${JSON.stringify(text)}`
  if (typeof ms === 'number' && ms >= 0) return ms
  warn(`${key} of GET /dapr/config: ${typeof ms === 'string' ? ms : 'it is negative'}. The default counts`)
  return defaultMs
}

function settingsIn(value: Json, warn: (text: string) => void): TypeSettings {
  const reentrancy = isObject(value['reentrancy']) ? value['reentrancy'] : {}
  const depth = reentrancy['maxStackDepth']
  return {
    idleMs: durationIn(value, 'actorIdleTimeout', USUAL_SETTINGS.idleMs, warn),
    drainMs: durationIn(value, 'drainOngoingCallTimeout', USUAL_SETTINGS.drainMs, warn),
    drains: value['drainRebalancedActors'] !== false,
    isReentrant: reentrancy['enabled'] === true,
    maxDepth: typeof depth === 'number' && depth > 0 ? Math.floor(depth) : USUAL_SETTINGS.maxDepth
  }
}

const namesIn = (value: Json): readonly string[] =>
  Array.isArray(value['entities'])
    ? value['entities'].filter((name): name is string => typeof name === 'string' && name !== '')
    : []

function objectIn(text: string): Json {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : {}
  } catch {
    return {}
  }
}

/**
 * The types of actors that an app hosts, by the configuration that it has told; '' = none (Dapr: pkg/config, ApplicationConfig): an
 * entry of `entitiesConfig` replaces the outer values as a whole.
 */
export function hostedTypes(text: string, warn: (text: string) => void): ReadonlyMap<string, TypeSettings> {
  const configuration = objectIn(text)
  const names = namesIn(configuration)
  if (names.length === 0) return new Map()
  if (configuration['remindersStoragePartitions'] !== undefined)
    warn('remindersStoragePartitions has no effect: reminders are not kept in the state store')
  const outer = settingsIn(configuration, warn)
  const types = new Map(names.map(name => [name, outer]))
  const own: unknown = configuration['entitiesConfig']
  for (const entry of Array.isArray(own) ? own.filter(isObject) : []) {
    const settings = settingsIn(entry, warn)
    for (const name of namesIn(entry)) if (types.has(name)) types.set(name, settings)
  }
  return types
}
