import type {Component, ComponentType, TypesOf} from '../component.ts'
import {POSTGRESQL_PROPERTIES, REDIS_PROPERTIES} from '../server-properties.ts'

/** The value of a key. */
export interface ConfigurationItem {
  readonly value: string
  readonly version: string
  readonly metadata: Readonly<Record<string, string>>
}

export type ConfigurationItems = Readonly<Record<string, ConfigurationItem>>

export interface ConfigurationStore extends Component {
  /** Items of the keys that have a value; no keys: all items. */
  get(keys: readonly string[], metadata: Readonly<Record<string, string>>): Promise<ConfigurationItems>
  /**
   * Calls `changed` with changed items; deleted ones are empty. Settles when the watch has begun, with a function that ends it.
   */
  subscribe(
    keys: readonly string[],
    metadata: Readonly<Record<string, string>>,
    changed: (items: ConfigurationItems) => void
  ): Promise<() => Promise<void>>
}

const POSTGRESQL: ComponentType<ConfigurationStore> = {
  properties: [...POSTGRESQL_PROPERTIES, 'notifyChannel', 'pgNotifyChannel', 'table'],
  capabilities: [],
  load: async () => (await import('./postgresql.ts')).open,
  hasClient: true
}

export const CONFIGURATION_TYPES: TypesOf<ConfigurationStore> = {
  postgres: POSTGRESQL,
  postgresql: POSTGRESQL,
  redis: {
    properties: REDIS_PROPERTIES,
    capabilities: [],
    load: async () => (await import('./redis.ts')).open,
    hasClient: true
  }
}
