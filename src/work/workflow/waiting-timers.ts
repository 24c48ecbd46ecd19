import {column, Statements, type RowOf} from '../rows.ts'
import type {WakeUps} from '../wake-ups.ts'
import type {WorkFile} from '../work-file.ts'
import {START, TIMER} from './workflow-store.ts'

const {number, text} = column

/** `id`: of the wake-up; `name`: `timer-7`, `start-7`; `due`: in ms since 1970, by the clock of what waits. */
const WAITING_TIMER = {id: number, app: text, instance: text, name: text, due: number}

/** A timer of an instance, or its start at a time. */
export type WaitingTimer = RowOf<typeof WAITING_TIMER>

const ALL = `SELECT wake_ups.id, instances.app, instances.id AS instance, due,
  iif(kind = '${TIMER}', 'timer-', 'start-') || wake_ups.id AS name
  FROM wake_ups JOIN instances ON wake_ups.owner = instances.key WHERE kind IN ('${TIMER}', '${START}') ORDER BY due, wake_ups.id`

/** What workflows wait for, for those who list all that waits. */
export class WaitingTimers {
  readonly #file: WorkFile
  readonly #wakeUps: WakeUps
  readonly #statements: Statements

  constructor(file: WorkFile, wakeUps: WakeUps) {
    this.#file = file
    this.#wakeUps = wakeUps
    this.#statements = new Statements(file.database)
  }

  /** The next one first. */
  async list(): Promise<readonly WaitingTimer[]> {
    await this.#file.settled()
    return this.#statements.all(WAITING_TIMER, ALL)
  }

  /** Its workflow waits without end, as with Dapr. */
  async delete({id}: WaitingTimer): Promise<void> {
    await this.#file.change(() => this.#wakeUps.remove(id))
  }
}
