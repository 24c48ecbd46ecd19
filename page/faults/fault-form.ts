import type * as Api from '../../src/model/api.generated.ts'
import {shellQuoted} from '../../src/model/shell-quoted.ts'
import type {KnownFault} from '../state/faults.ts'

export const KINDS = {
  none: 'it continues',
  status: 'a status',
  abort: 'its connection is reset',
  never: 'no response',
  cut: 'the response breaks off',
  kill: 'the callee is killed'
} as const satisfies Record<Api.Fault['kind'], string>

/** The values of the form's fields; empty for a key that is left out. `rate`: in percent. */
export interface FaultForm {
  readonly from: string
  readonly to: string
  readonly actor: string
  readonly method: string
  readonly path: string
  readonly delay: string
  readonly jitter: string
  readonly kind: Api.Fault['kind']
  readonly status: string
  readonly body: string
  readonly cutAfter: string
  readonly rate: string
  readonly seed: string
  readonly times: string
  readonly for: string
}

export const EMPTY: FaultForm = {
  from: 'any',
  to: 'any',
  actor: '',
  method: '',
  path: '',
  delay: '',
  jitter: '',
  kind: 'status',
  status: '503',
  body: '',
  cutAfter: '',
  rate: '',
  seed: '',
  times: '',
  for: ''
}

/** The keys of a fault, in the order of the documentation. */
export type Keys = Readonly<Record<string, string | number | boolean>>

const numberOr = (text: string): string | number => (/^\d+(?:\.\d+)?$/.test(text) ? Number(text) : text)

/** Returns the request body for a fault; the run validates it. */
export function keysOf(form: FaultForm): Keys {
  const {from, to, actor, method, path, delay, jitter, kind, status, body, cutAfter, rate, seed, times} = form
  const kinds: Readonly<Record<Api.Fault['kind'], Keys>> = {
    none: {},
    status: {status: numberOr(status), body},
    abort: {abort: true},
    never: {never: true},
    cut: {cut: cutAfter === '' ? true : numberOr(cutAfter)},
    kill: {kill: true}
  }
  const percent = numberOr(rate)
  const all = {
    from,
    to,
    actor,
    method,
    path,
    delay,
    jitter,
    ...kinds[kind],
    rate: typeof percent === 'number' ? Number((percent / 100).toPrecision(12)) : rate,
    seed: numberOr(seed),
    times: numberOr(times),
    for: form.for
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''))
}

const some = (value: number, unit = ''): string => (value === 0 ? '' : `${value}${unit}`)

/** Returns the form filled in with an existing fault; `for` is the time that the fault has left, so its end does not change. */
export function formOf(row: KnownFault): FaultForm {
  return {
    ...EMPTY,
    from: row.from,
    to: row.to,
    actor: row.actor,
    method: row.method,
    path: row.path,
    delay: some(row.delayMs, 'ms'),
    jitter: some(row.jitterMs, 'ms'),
    kind: row.kind,
    status: row.kind === 'status' ? row.status.toString() : EMPTY.status,
    body: row.body,
    cutAfter: some(row.cutAfter),
    rate: row.rate === 1 ? '' : Number((row.rate * 100).toPrecision(12)).toString(),
    seed: row.seed === 1 ? '' : row.seed.toString(),
    times: row.times?.toString() ?? '',
    for: row.leftMs === null ? '' : `${Math.max(1, Math.ceil((row.leftMs + row.at - Date.now()) / 1000))}s`
  }
}

/** Returns the command that adds a fault with these keys. */
export function commandOf({from = '', to = '', ...rest}: Keys): string {
  const flags = Object.entries(rest).map(([key, value]) => {
    if (key === 'cut' && value !== true) return `--cut-after ${shellQuoted(String(value))}`
    return value === true ? `--${key}` : `--${key} ${shellQuoted(String(value))}`
  })
  return ['pillion fault', shellQuoted(String(from)), shellQuoted(String(to)), ...flags].join(' ')
}

const WORD = /^(?!(?:true|false|yes|no|on|off|null|y|n)$)[A-Za-z_][\w./-]*$/i

const scalar = (value: string | number | boolean): string =>
  typeof value === 'string' && !WORD.test(value) ? JSON.stringify(value) : String(value)

/** Returns the lines of a template that add a fault with these keys. */
export function templateLines(keys: Keys): string {
  const pairs = Object.entries(keys).map(([key, value]) => `${key}: ${scalar(value)}`)
  return `faults:\n  - {${pairs.join(', ')}}\n`
}
