import {DatabaseError, type Pool, type QueryArrayConfig, types, type CustomTypesConfig} from 'pg'
import {messageOf} from '../../../model/errors.ts'
import {exactText, parseExactly} from '../../../model/exact-json.ts'
import {isObject} from '../../../model/is-object.ts'
import {wallTime} from '../../../platform/wall-time.ts'
import {formatGoDuration} from '../../../model/go-duration.ts'
import {bindingOf, type Binding, type BindingRequest, type BindingResponse} from '../binding.ts'
import type {OpenComponent} from '../component.ts'
import {openPool} from '../postgresql/pool.ts'

/** Converts PostgreSQL's text of a value to JSON. */
type ToJson = (text: string) => string

const quoted: ToJson = text => JSON.stringify(text)
const asWritten: ToJson = text => text
/** Quotes NaN and Infinity, which are not JSON numbers. */
const number: ToJson = text => (/^-?\d/.test(text) ? text : quoted(text))
const boolean: ToJson = text => (text === 't' ? 'true' : 'false')
const bytes: ToJson = text =>
  quoted(text.startsWith('\\x') ? Buffer.from(text.slice(2), 'hex').toString('base64') : text)

const TIME = /^(\d{4}-\d\d-\d\d)(?: (\d\d:\d\d:\d\d(?:\.\d+)?)(?:([+-]\d\d)(?::(\d\d))?)?)?$/

/** Writes a time as RFC 3339. A time without a zone is in UTC; a date is its midnight. */
const time: ToJson = text => {
  const [, day, clock = '00:00:00', hours = '+00', minutes = '00'] = TIME.exec(text) ?? []
  if (day === undefined) return quoted(text)
  const zone = `${hours}:${minutes}`
  return quoted(`${day}T${clock}${zone === '+00:00' ? 'Z' : zone}`)
}

/** PostgreSQL types that Dapr does not return as texts, with the types of their arrays (PostgreSQL: pg_type.dat). */
const KINDS: readonly (readonly [toJson: ToJson, types: readonly number[], arrays: readonly number[]])[] = [
  [boolean, [16], [1000]],
  [bytes, [17], [1001]],
  [number, [20, 21, 23, 26, 700, 701, 1700], [1016, 1005, 1007, 1028, 1021, 1022, 1231]],
  [asWritten, [114, 3802], [199, 3807]],
  [time, [1082, 1114, 1184], [1182, 1115, 1185]],
  [quoted, [], [1009, 1015, 1014, 2951]]
]

type Items = readonly (string | null | Items)[]

const arrayText = (items: Items): string =>
  `[${items.map(item => (item === null ? 'null' : typeof item === 'string' ? item : arrayText(item))).join(',')}]`

/** The parser of arrays: the type declarations of `pg` are of another version. */
const ARRAYS = types.arrayParser as unknown as {
  readonly create: (text: string, toJson: ToJson) => {readonly parse: () => unknown}
}

const PARSERS = new Map<number, ToJson>(
  KINDS.flatMap(([toJson, plain, arrays]) => [
    ...plain.map((type): [number, ToJson] => [type, toJson]),
    ...arrays.map((type): [number, ToJson] => [type, text => arrayText(ARRAYS.create(text, toJson).parse() as Items)])
  ])
)

/** Values of rows as JSON texts. Numbers and JSON keep their text. */
const JSON_VALUES: CustomTypesConfig = {getTypeParser: (type: number) => (PARSERS.get(type) ?? quoted) as never}

/** Rows as JSON. */
const rowsText = (rows: readonly (readonly (string | null)[])[]): string =>
  `[${rows.map(row => `[${row.map(value => value ?? 'null').join(',')}]`).join(',')}]`

/** `bindings.postgresql`: SQL (components-contrib: bindings/postgres). */
export const open: OpenComponent<Binding> = async options => {
  const pool = await openPool('failed to ping the DB', options)
  let isClosed = false
  const close = async (): Promise<void> => {
    if (isClosed) return
    isClosed = true
    await pool.end()
  }
  return bindingOf(options, {
    output: {
      operations: ['exec', 'query', 'close'],
      invoke: async request => {
        if (request.operation === 'close') {
          await close()
          return undefined
        }
        if (isClosed) throw new Error('component is closed')
        return run(pool, request)
      }
    },
    close
  })
}

async function run(pool: Pool, {operation, metadata}: BindingRequest): Promise<BindingResponse> {
  const sql = metadata['sql'] ?? ''
  if (sql === '') throw new Error('required metadata not set: sql')
  const query: QueryArrayConfig & {queryMode: 'extended'} = {
    text: sql,
    values: [...paramsOf(metadata['params'] ?? '')],
    rowMode: 'array',
    types: JSON_VALUES,
    // the extended protocol allows only one statement, also without parameters
    queryMode: 'extended'
  }
  const begun = performance.now()
  try {
    const {rows, rowCount} = await pool.query<(string | null)[]>(query)
    const ended = performance.now()
    return {
      data: operation === 'query' ? Buffer.from(rowsText(rows)) : Buffer.alloc(0),
      metadata: {
        operation,
        sql,
        'start-time': timeText(wallTime.of(begun)),
        'end-time': timeText(wallTime.of(ended)),
        duration: formatGoDuration(Math.round((ended - begun) * 1000) / 1000),
        ...(operation === 'exec' && {'rows-affected': (rowCount ?? 0).toString()})
      }
    }
  } catch (error) {
    throw new Error(`error executing query: ${reasonOf(error)}`, {cause: error})
  }
}

const failParams = (why: string): never => {
  throw new Error(`invalid metadata property params: failed to unserialize into an array: ${why}`)
}

function paramsOf(text: string): readonly unknown[] {
  if (text === '') return []
  let params: unknown
  try {
    params = parseExactly(text)
  } catch (error) {
    return failParams(messageOf(error))
  }
  return Array.isArray(params) ? params.map(paramOf) : params === null ? [] : failParams(`${text} is no array`)
}

/** Converts a parameter: an object becomes JSON, a list stays an array of PostgreSQL. */
const paramOf = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(paramOf) : isObject(value) ? exactText(value) : value

/** Writes an error as Go's pgx does: `ERROR: relation "x" does not exist (SQLSTATE 42P01)`. */
const reasonOf = (error: unknown): string =>
  error instanceof DatabaseError
    ? `${error.severity ?? 'ERROR'}: ${error.message} (SQLSTATE ${error.code ?? ''})`
    : messageOf(error)

/** Writes a time as RFC 3339, with microseconds and without zeros at the end. */
function timeText(ms: number): string {
  const micros = Math.round((ms % 1) * 1000) % 1000
  const text = new Date(ms).toISOString().slice(0, -1) + micros.toString().padStart(3, '0')
  return `${text.replace(/\.?0+$/, '')}Z`
}
