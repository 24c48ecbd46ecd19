import type {Component} from './component.ts'

/** The result of an unlock (Dapr: UnlockResponse.Status). */
export type Unlocked = 'done' | 'not-there' | 'not-owned' | 'failed'

export interface LockStore extends Component {
  /** Acquires a lock. Resolves with false if an owner has it already, even the same one. */
  lock(key: string, owner: string, expiryMs: number): Promise<boolean>
  unlock(key: string, owner: string): Promise<Unlocked>
}
