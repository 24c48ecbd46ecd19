import type {Component} from './component.ts'

/** Keys of a secret and their values. */
export type Secret = Readonly<Record<string, string>>

export interface SecretStore extends Component {
  /** Returns the secret of a name, if there is one. */
  get(name: string): Promise<Secret | undefined>
  all(): Promise<Readonly<Record<string, Secret>>>
}
