import type {Component} from './component.ts'

export interface ConfigurationItem {
  readonly value: string
  readonly version: string
  readonly metadata: Readonly<Record<string, string>>
}

export type ConfigurationItems = Readonly<Record<string, ConfigurationItem>>

export interface ConfigurationStore extends Component {
  /** Returns the items of those keys that have a value; without keys, all items. */
  get(keys: readonly string[], metadata: Readonly<Record<string, string>>): Promise<ConfigurationItems>
  /** Calls `changed` with changed items; a deleted key has an empty item. Resolves when that has begun, with a function that ends it. */
  subscribe(
    keys: readonly string[],
    metadata: Readonly<Record<string, string>>,
    changed: (items: ConfigurationItems) => void
  ): Promise<() => Promise<void>>
}
