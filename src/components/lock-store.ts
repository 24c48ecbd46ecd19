import type {Component} from './component.ts'

/** What became of an unlock (Dapr: UnlockResponse.Status). */
export type Unlocked = 'done' | 'not-there' | 'not-owned' | 'failed'

export interface LockStore extends Component {
  /** Takes a lock that nobody has, also not its own owner. False: somebody has it. */
  lock(key: string, owner: string, expiryMs: number): Promise<boolean>
  unlock(key: string, owner: string): Promise<Unlocked>
}
