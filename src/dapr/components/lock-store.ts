import type {Component} from './component.ts'

/** The result of an unlock (Dapr: UnlockResponse.Status). */
export type Unlocked = 'done' | 'not-there' | 'not-owned' | 'failed'

export interface LockStore extends Component {
  /** Takes a lock. Returns false if it is held, even by the same owner. */
  lock(key: string, owner: string, expiryMs: number): Promise<boolean>
  unlock(key: string, owner: string): Promise<Unlocked>
}
