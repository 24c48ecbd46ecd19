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
  /**
   * Calls `changed` with the items that were changed; one that was deleted is empty. Settles when changes are seen from now
   * on; the returned function ends that.
   */
  subscribe(
    keys: readonly string[],
    metadata: Readonly<Record<string, string>>,
    changed: (items: ConfigurationItems) => void
  ): Promise<() => Promise<void>>
}
