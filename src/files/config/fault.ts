import {ANY, type FaultKind, type FaultPlan} from '../../model/fault.ts'
import {readDuration} from '../../model/duration.ts'
import {exactText} from '../../model/exact-json.ts'
import {nearMiss} from '../../model/near-miss.ts'
import {words} from '../../model/words.ts'

/** The keys of a fault in a template and in the API. */
const FAULT_KEYS = words('from to actor method path delay jitter status body abort never cut kill rate seed times for')

type FaultKey = (typeof FAULT_KEYS)[number]

/** Values as written: numbers and booleans may be texts. */
export type FaultFields = Readonly<Partial<Record<FaultKey, unknown>>>

/** The error for a fault with a wrong key. `expected` describes the right form. */
export class WrongFault extends Error {
  /** Faulty key; '': the fault as a whole is wrong. */
  readonly key: string
  readonly expected: string

  constructor(key: string, message: string, expected: string) {
    super(message)
    this.key = key
    this.expected = expected
  }
}

const MAX_SEED = 0xff_ff_ff_ff
const MAX_COUNT = Number.MAX_SAFE_INTEGER
const KINDS = ['status', 'abort', 'never', 'cut', 'kill'] as const satisfies readonly FaultKind[]

/** Reads a fault. Throws a `WrongFault` for the first mistake. */
export function readFault(fields: FaultFields): FaultPlan {
  checkKeys(fields)
  const kind = kindOf(fields)
  const delayMs = duration(fields, 'delay') ?? 0
  const jitterMs = duration(fields, 'jitter') ?? 0
  if (jitterMs > delayMs) throw new WrongFault('jitter', 'jitter is longer than delay', 'expected at most the delay')
  if (kind === 'none' && delayMs === 0)
    throw new WrongFault('', 'the fault does nothing', `expected delay, ${KINDS.slice(0, -1).join(', ')} or kill`)
  if (fields.body !== undefined && kind !== 'status')
    throw new WrongFault('body', 'body without status', 'a body belongs to a response of this status')
  return {
    from: id(fields, 'from'),
    to: id(fields, 'to'),
    actor: actorType(fields),
    method: method(fields),
    path: path(fields),
    delayMs,
    jitterMs,
    kind,
    status: kind === 'status' ? whole(fields, 'status', [200, 599]) : 0,
    body: textOf(fields.body),
    cutAfter: kind === 'cut' && !isYes(fields.cut) ? whole(fields, 'cut', [0, MAX_COUNT]) : 0,
    rate: rate(fields),
    seed: fields.seed === undefined ? 1 : whole(fields, 'seed', [0, MAX_SEED]),
    times: fields.times === undefined ? Infinity : whole(fields, 'times', [1, MAX_COUNT]),
    forMs: duration(fields, 'for') ?? Infinity
  }
}

/** Throws a `WrongFault` for an unknown id. Unless it resembles a known id, a caller may be a topic, and a callee may be missing in incomplete ids. */
export function checkFaultIds({from, to}: FaultPlan, ids: Iterable<string>, isComplete: boolean): void {
  const known = [...new Set(ids)]
  for (const [key, name] of [
    ['from', from],
    ['to', to]
  ] as const) {
    if (name === ANY || known.includes(name) || /^https?:\/\//.test(name)) continue
    const near = nearMiss(name, known)
    const isTopic = key === 'from' && name.includes('/')
    if (near === '' && (isTopic || (key === 'to' && !isComplete))) continue
    const apps = known.length === 0 ? '' : `expected any, or one of ${known.join(', ')}`
    throw new WrongFault(key, `no app has the id ${JSON.stringify(name)}`, near === '' ? apps : `did you mean ${near}?`)
  }
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : exactText(value)
}

const isYes = (value: unknown): boolean => value === true || value === 'true'
const isOn = (value: unknown): boolean => value !== undefined && value !== false && value !== 'false'

function checkKeys(fields: FaultFields): void {
  const known: readonly string[] = FAULT_KEYS
  const key = Object.keys(fields).find(each => !known.includes(each))
  if (key === undefined) return
  const near = nearMiss(key, known)
  throw new WrongFault(
    key,
    `a fault has no key ${JSON.stringify(key)}`,
    near === '' ? `expected ${known.join(', ')}` : `did you mean ${near}?`
  )
}

function kindOf(fields: FaultFields): FaultKind {
  const kinds = KINDS.filter(kind => isOn(fields[kind]))
  const [kind = 'none', other] = kinds
  if (other !== undefined)
    throw new WrongFault(other, `${kind} and ${other} exclude each other`, 'expected one of them')
  if (kind !== 'none' && kind !== 'status' && kind !== 'cut' && !isYes(fields[kind]))
    throw new WrongFault(kind, wrong(fields, kind), 'expected true or false')
  return kind
}

/** Reads an id. `*` also means any app. */
function id(fields: FaultFields, key: 'from' | 'to'): string {
  const text = textOf(fields[key]).trim()
  // with `actor`, the type of the actor selects the calls, so the id may be missing
  if (text === '' && fields.actor !== undefined) return ANY
  if (text === '') throw new WrongFault(key, `the fault lacks ${key}`, 'expected the id of an app, or any')
  return text === '*' ? ANY : text
}

function actorType(fields: FaultFields): string {
  const text = textOf(fields.actor)
  if (fields.actor === undefined || text.trim() !== '') return text
  throw new WrongFault('actor', wrong(fields, 'actor'), 'expected a type of actors, like Cart')
}

function method(fields: FaultFields): string {
  const text = textOf(fields.method)
  if (/^[A-Za-z]*$/.test(text)) return text.toUpperCase()
  throw new WrongFault('method', wrong(fields, 'method'), 'expected a method of HTTP, like POST')
}

function path(fields: FaultFields): string {
  const text = textOf(fields.path)
  if (text === '' || /^[/*]/.test(text)) return text
  throw new WrongFault('path', wrong(fields, 'path'), `expected a path that begins with /, like '/orders/*'`)
}

function rate(fields: FaultFields): number {
  if (fields.rate === undefined) return 1
  const text = textOf(fields.rate)
  const value = /^(?:\d+(?:\.\d*)?|\.\d+)$/.test(text) ? Number(text) : -1
  if (value > 0 && value <= 1) return value
  throw new WrongFault('rate', wrong(fields, 'rate'), 'expected a number above 0 and up to 1, like 0.2')
}

function whole(fields: FaultFields, key: FaultKey, [least, most]: readonly [number, number]): number {
  const text = textOf(fields[key])
  const value = /^\d{1,16}$/.test(text) ? Number(text) : -1
  if (value >= least && value <= most) return value
  const range = most === MAX_COUNT ? `from ${least} up` : `from ${least} up to ${most}`
  throw new WrongFault(key, wrong(fields, key), `expected a whole number ${range}`)
}

/** Reads `300ms`, `5s`, `2m` or `1h` in ms; a number counts seconds. */
function duration(fields: FaultFields, key: FaultKey): number | undefined {
  if (fields[key] === undefined) return undefined
  const ms = readDuration(textOf(fields[key]))
  if (ms !== undefined) return ms
  throw new WrongFault(key, wrong(fields, key), 'expected a duration up to 24 days: 300ms, 5s, 2m, 1h')
}

const wrong = (fields: FaultFields, key: FaultKey): string => `wrong ${key}: ${JSON.stringify(textOf(fields[key]))}`
