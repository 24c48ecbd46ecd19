import type {Component} from './component.ts'

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
  /** Calls `changed` with changed items; a deleted key has an empty item. Resolves when the watch has begun, with a function that ends it. */
  subscribe(
    keys: readonly string[],
    metadata: Readonly<Record<string, string>>,
    changed: (items: ConfigurationItems) => void
  ): Promise<() => Promise<void>>
}
