import type {Triggers} from '../model/triggers.ts'
import {column, Table} from './rows.ts'
import type {WorkFile} from './work-file.ts'

const COLUMNS = {app: column.text, triggers: column.json<Triggers>()}

/** Triggers that wake a sleeping app, as its last process has reported them: a sleeping app cannot report them. */
export class TriggerStore {
  readonly #file: WorkFile
  readonly #table: Table<typeof COLUMNS>

  constructor(file: WorkFile) {
    this.#file = file
    this.#table = new Table(file.database, 'triggers', COLUMNS)
  }

  all(): ReadonlyMap<string, Triggers> {
    return new Map(this.#table.all('').map(({app, triggers}) => [app, triggers]))
  }

  async set(app: string, triggers: Triggers): Promise<void> {
    await this.#file.change(() => {
      for (const {key} of this.#table.all('WHERE app = ?', app)) this.#table.delete(key)
      this.#table.insert({app, triggers})
    })
  }
}
