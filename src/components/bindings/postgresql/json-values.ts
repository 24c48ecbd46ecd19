import {types, type CustomTypesConfig} from 'pg'

/** What a value is in JSON, from PostgreSQL's text of it. */
type ToJson = (text: string) => string

const quoted: ToJson = text => JSON.stringify(text)
const asWritten: ToJson = text => text
/** NaN and Infinity are no JSON. */
const number: ToJson = text => (/^-?\d/.test(text) ? text : quoted(text))
const boolean: ToJson = text => (text === 't' ? 'true' : 'false')
const bytes: ToJson = text =>
  quoted(text.startsWith('\\x') ? Buffer.from(text.slice(2), 'hex').toString('base64') : text)

const TIME = /^(\d{4}-\d\d-\d\d)(?: (\d\d:\d\d:\d\d(?:\.\d+)?)(?:([+-]\d\d)(?::(\d\d))?)?)?$/

/** RFC 3339; a time without a zone, and a day, are of UTC. */
const time: ToJson = text => {
  const [, day, clock = '00:00:00', hours = '+00', minutes = '00'] = TIME.exec(text) ?? []
  if (day === undefined) return quoted(text)
  const zone = `${hours}:${minutes}`
  return quoted(`${day}T${clock}${zone === '+00:00' ? 'Z' : zone}`)
}

/** The types that Dapr's answers show other than as texts, with the types of their arrays (PostgreSQL: pg_type.dat). */
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

/** Its types are of another version. */
const ARRAYS = types.arrayParser as unknown as {
  readonly create: (text: string, toJson: ToJson) => {readonly parse: () => unknown}
}

const PARSERS = new Map<number, ToJson>(
  KINDS.flatMap(([toJson, plain, arrays]) => [
    ...plain.map((type): [number, ToJson] => [type, toJson]),
    ...arrays.map((type): [number, ToJson] => [type, text => arrayText(ARRAYS.create(text, toJson).parse() as Items)])
  ])
)

/** Values of rows as JSON texts: numbers and JSON keep what is written. */
export const JSON_VALUES: CustomTypesConfig = {
  getTypeParser: (type: number) => (PARSERS.get(type) ?? quoted) as never
}

/** Rows as JSON. */
export const rowsText = (rows: readonly (readonly (string | null)[])[]): string =>
  `[${rows.map(row => `[${row.map(value => value ?? 'null').join(',')}]`).join(',')}]`
