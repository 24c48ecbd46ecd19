import type {DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync} from 'node:sqlite'

type SqlRow = Readonly<Record<string, SQLOutputValue>>

/** Reads and writes a column. `read` throws if the value is of another type. */
export interface SqlColumn<T> {
  readonly read: (value: SQLOutputValue | undefined, name: string) => T
  readonly write: (value: T) => SQLInputValue
}

/** A column of unknown type, as the list of a table's columns stores it. */
interface AnyColumn {
  readonly read: (value: SQLOutputValue | undefined, name: string) => unknown
  readonly write: (value: never) => SQLInputValue
}

export type Columns = Readonly<Record<string, AnyColumn>>

export type RowOf<C extends Columns> = {readonly [K in keyof C]: C[K] extends SqlColumn<infer T> ? T : never}

const checked = <T extends SQLInputValue>(
  type: string,
  isOfType: (value: SQLOutputValue | undefined) => boolean
): SqlColumn<T> => ({
  read: (value, name) => {
    if (!isOfType(value)) throw new TypeError(`the column ${name} has no ${type}: ${String(value)}`)
    return value as T
  },
  write: value => value
})

/** Limits a number to 2^53: node:sqlite throws on reading a larger one. */
const readable = (value: number): number => Math.max(Number.MIN_SAFE_INTEGER, Math.min(value, Number.MAX_SAFE_INTEGER))

/** Types of columns. `optional`: undefined is stored as NULL. `json`: a value as JSON, not checked, since only this program writes it. */
export const column = {
  text: checked<string>('text', value => typeof value === 'string'),
  number: {...checked<number>('number', value => typeof value === 'number'), write: readable},
  blob: checked<Uint8Array>('bytes', value => value instanceof Uint8Array),
  flag: {read: value => value === 1, write: Number} as SqlColumn<boolean>,
  json: <T>(): SqlColumn<T> => ({read: value => JSON.parse(String(value)) as T, write: JSON.stringify}),
  optional: <T>({read, write}: SqlColumn<T>): SqlColumn<T | undefined> => ({
    read: (value, name) => (value === null ? undefined : read(value, name)),
    write: value => (value === undefined ? null : write(value))
  })
}

type Keyed<C extends Columns> = RowOf<C> & {readonly key: number}

function readRow<C extends Columns>(columns: C, row: SqlRow): RowOf<C> {
  const result: Record<string, unknown> = {}
  // oxlint-disable-next-line pillion/user-words -- the names are those of our columns
  for (const name in columns) result[name] = columns[name]?.read(row[name], name)
  return result as RowOf<C>
}

/** Runs SQL. Prepares each statement once. */
export class Statements {
  readonly #database: DatabaseSync
  readonly #prepared = new Map<string, StatementSync>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  get<C extends Columns>(columns: C, sql: string, ...values: SQLInputValue[]): RowOf<C> | undefined {
    const row = this.#prepare(sql).get(...values)
    return row && readRow(columns, row)
  }

  all<C extends Columns>(columns: C, sql: string, ...values: SQLInputValue[]): readonly RowOf<C>[] {
    return this.#prepare(sql)
      .all(...values)
      .map(row => readRow(columns, row))
  }

  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).changes)
  }

  insert(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).lastInsertRowid)
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#prepared.get(sql)
    if (statement === undefined) this.#prepared.set(sql, (statement = this.#database.prepare(sql)))
    return statement
  }
}

/** A table whose rows get a `key` from SQLite. Call writing methods within a change of the file. */
export class Table<C extends Columns> {
  readonly statements: Statements
  readonly #name: string
  readonly #columns: C & {readonly key: SqlColumn<number>}
  readonly #insert: string

  constructor(database: DatabaseSync, name: string, columns: C) {
    this.statements = new Statements(database)
    this.#name = name
    this.#columns = {key: column.number, ...columns}
    const names = Object.keys(columns)
    this.#insert = `INSERT INTO ${name} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`
  }

  at(key: number): Keyed<C> | undefined {
    return this.all('WHERE key = ?', key)[0]
  }

  all(where: string, ...values: SQLInputValue[]): readonly Keyed<C>[] {
    const rows = this.statements.all(this.#columns, `SELECT * FROM ${this.#name} ${where}`, ...values)
    return rows as unknown as readonly Keyed<C>[]
  }

  insert(row: RowOf<C>): number {
    const names = Object.keys(this.#columns).filter(name => name !== 'key')
    return this.statements.insert(this.#insert, ...this.#written(names, row))
  }

  update(key: number, change: Partial<RowOf<C>>, names: readonly string[] = Object.keys(change)): void {
    const sql = `UPDATE ${this.#name} SET ${names.map(name => `${name} = ?`).join(', ')} WHERE key = ?`
    this.statements.run(sql, ...this.#written(names, change), key)
  }

  delete(key: number): void {
    this.statements.run(`DELETE FROM ${this.#name} WHERE key = ?`, key)
  }

  #written(names: readonly string[], row: Partial<RowOf<C>>): SQLInputValue[] {
    return names.map(name => this.#columns[name]?.write(row[name] as never) ?? null)
  }
}
