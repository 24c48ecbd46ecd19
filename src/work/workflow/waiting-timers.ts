import type {StatementSync} from 'node:sqlite'
import type {WakeUps} from '../wake-ups.ts'
import type {WorkFile} from '../work-file.ts'
import {START, TIMER} from './workflow-store.ts'

/** A timer of an instance, or its start at a time. */
export interface WaitingTimer {
  /** Of its wake-up. */
  readonly id: number
  readonly app: string
  readonly instance: string
  /** `timer-7`, `start-7`. */
  readonly name: string
  /** When it was set off, and when it is due, in ms since 1970 by the clock of what waits. */
  readonly due: number
}

/** What workflows wait for, for those who list all that waits. */
export class WaitingTimers {
  readonly #file: WorkFile
  readonly #wakeUps: WakeUps
  readonly #all: StatementSync

  constructor(file: WorkFile, wakeUps: WakeUps) {
    this.#file = file
    this.#wakeUps = wakeUps
    this.#all = file.database.prepare(
      `SELECT wake_ups.id, instances.app, instances.id AS instance, due, iif(kind = '${TIMER}', 'timer-', 'start-') || wake_ups.id AS name
       FROM wake_ups JOIN instances ON wake_ups.owner = instances.key WHERE kind IN ('${TIMER}', '${START}') ORDER BY due, wake_ups.id`
    )
  }

  /** The next one first. */
  async list(): Promise<readonly WaitingTimer[]> {
    await this.#file.settled()
    return this.#all.all() as unknown as readonly WaitingTimer[]
  }

  /** Its workflow waits without end, as with Dapr. */
  async delete({id}: WaitingTimer): Promise<void> {
    await this.#file.change(() => this.#wakeUps.remove(id))
  }
}
