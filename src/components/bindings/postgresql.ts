import {DatabaseError, type Pool, type QueryArrayConfig} from 'pg'
import {messageOf} from '../../model/errors.ts'
import {formatGoDuration} from '../../resources/go-duration.ts'
import {bindingOf, type Binding, type BindingRequest, type BindingResponse} from '../binding.ts'
import type {OpenComponent} from '../component.ts'
import {openPool} from '../postgresql/pool.ts'
import {JSON_VALUES, rowsText} from './postgresql/json-values.ts'

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
    // one statement, also without parameters
    queryMode: 'extended'
  }
  const start = performance.timeOrigin + performance.now()
  try {
    const {rows, rowCount} = await pool.query<(string | null)[]>(query)
    const end = performance.timeOrigin + performance.now()
    return {
      data: operation === 'query' ? Buffer.from(rowsText(rows)) : Buffer.alloc(0),
      metadata: {
        operation,
        sql,
        'start-time': timeText(start),
        'end-time': timeText(end),
        duration: formatGoDuration(Math.round((end - start) * 1000) / 1000),
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
    params = JSON.parse(text)
  } catch (error) {
    return failParams(messageOf(error))
  }
  return Array.isArray(params)
    ? (params as readonly unknown[])
    : params === null
      ? []
      : failParams(`${text} is no array`)
}

/** As pgx has it: `ERROR: relation "x" does not exist (SQLSTATE 42P01)`. */
const reasonOf = (error: unknown): string =>
  error instanceof DatabaseError
    ? `${error.severity ?? 'ERROR'}: ${error.message} (SQLSTATE ${error.code ?? ''})`
    : messageOf(error)

/** RFC 3339 with microseconds, as far as they are there. */
function timeText(ms: number): string {
  const micros = Math.round((ms % 1) * 1000) % 1000
  const text = new Date(ms).toISOString().slice(0, -1) + micros.toString().padStart(3, '0')
  return `${text.replace(/\.?0+$/, '')}Z`
}
