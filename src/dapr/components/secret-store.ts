import type {Component} from './component.ts'

/** One secret: its keys and their values. */
export type Secret = Readonly<Record<string, string>>

export interface SecretStore extends Component {
  /** Undefined: there is none of this name. */
  get(name: string): Promise<Secret | undefined>
  /** All secrets by their names. */
  all(): Promise<Readonly<Record<string, Secret>>>
}
