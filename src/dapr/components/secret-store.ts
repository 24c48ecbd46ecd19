import type {Component} from './component.ts'

/** The values of a secret, by key. */
export type Secret = Readonly<Record<string, string>>

export interface SecretStore extends Component {
  get(name: string): Promise<Secret | undefined>
  all(): Promise<Readonly<Record<string, Secret>>>
}
