import {UserError} from '../../../model/errors.ts'
import {nearMiss} from '../../../model/near-miss.ts'
import {readDuration} from '../../../model/duration.ts'
import type {WaitedApp} from './wait-context.ts'

/** A condition to wait for; `text`: as written. */
export type Condition = {readonly text: string} & (
  | {readonly kind: 'ready' | 'reloaded' | 'exit'; /** '': all. */ readonly app: string}
  | {readonly kind: 'idle'; readonly spanMs: number}
  | {readonly kind: 'log'; /** `[id:]regex`; only the run knows which words are ids. */ readonly rest: string}
  | {readonly kind: 'workflow'; readonly id: string; readonly state: WorkflowState}
  | {readonly kind: 'calls'; /** '': any. */ readonly from: string; readonly to: string; readonly count: number}
)

/** The states of a workflow to wait for; `ended`: any final state. */
const WORKFLOW_STATES = ['started', 'suspended', 'completed', 'failed', 'terminated', 'ended'] as const
type WorkflowState = (typeof WORKFLOW_STATES)[number]

const SPAN_MS = 500
const MAX_COUNT = 1e9
const MAX_PATTERN = 1000

const FORMS = {
  ready: 'ready or ready:ID',
  idle: 'idle or idle:500ms',
  log: 'log:REGEX or log:ID:REGEX',
  calls: 'calls:N, calls:TO:N or calls:FROM:TO:N',
  reloaded: 'reloaded:ID',
  exit: 'exit:ID',
  workflow: 'workflow:ID:completed (or started, suspended, failed, terminated, ended)'
} as const

type Kind = keyof typeof FORMS
const KINDS = Object.keys(FORMS) as Kind[]

/** Parses a condition such as `ready:shop`. Throws a UserError with the right form. */
export function readCondition(text: string): Condition {
  const [, word = '', rest] = /^([^:]*)(?::(.*))?$/s.exec(text) ?? []
  const kind = KINDS.find(each => each === word)
  if (kind === undefined) {
    const near = nearMiss(word, KINDS)
    throw new UserError(`"${text}" is not a condition`, {
      explanation: near === '' ? `Conditions are: ${Object.values(FORMS).join('; ')}.` : `Did you mean ${near}?`
    })
  }
  switch (kind) {
    case 'ready':
      if (rest === '') throw wrong(text, kind)
      return {kind, text, app: rest ?? ''}
    case 'reloaded':
    case 'exit':
      if (rest === undefined || rest === '') throw wrong(text, kind)
      return {kind, text, app: rest}
    case 'idle': {
      const spanMs = rest === undefined ? SPAN_MS : readDuration(rest)
      if (spanMs === undefined) throw wrong(text, kind, `"${rest ?? ''}" is not a duration up to 24 days`)
      return {kind, text, spanMs}
    }
    case 'log':
      if (rest === undefined || rest === '') throw wrong(text, kind)
      if (rest.length > MAX_PATTERN) throw wrong(text, kind, `the pattern has more than ${MAX_PATTERN} characters`)
      compile(rest, text)
      return {kind, text, rest}
    case 'calls':
      return {kind, text, ...readCalls(rest ?? '', text)}
    case 'workflow': {
      // ids of workflows may contain colons, as those of child workflows do
      const [, id = '', wanted = ''] = /^(.+):([^:]*)$/s.exec(rest ?? '') ?? []
      const state = WORKFLOW_STATES.find(each => each === wanted)
      if (id === '' || state === undefined) throw wrong(text, kind)
      return {kind, text, id, state}
    }
  }
}

function readCalls(rest: string, text: string): {from: string; to: string; count: number} {
  const parts = rest.split(':')
  const number = parts.pop() ?? ''
  const count = /^\d{1,10}$/.test(number) ? Number(number) : 0
  if (count < 1 || count > MAX_COUNT) throw wrong(text, 'calls', `"${number}" is not a number from 1 to a billion`)
  if (parts.length > 2 || parts.includes('')) throw wrong(text, 'calls')
  const [to = '', from = ''] = parts.toReversed().map(part => (part === 'any' || part === '*' ? '' : part))
  return {from, to, count}
}

/** Compiles the pattern of a condition. Throws a UserError if it is invalid. */
export function compile(pattern: string, text: string): RegExp {
  try {
    return new RegExp(pattern)
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^Invalid regular expression: /, '') : ''
    throw wrong(text, 'log', `not a JavaScript regular expression: ${why}`, error)
  }
}

const wrong = (text: string, kind: Kind, why = '', cause?: unknown): UserError =>
  new UserError(`"${text}" is not a condition${why === '' ? '' : `: ${why}`}`, {
    explanation: `Write ${FORMS[kind]}.`,
    cause
  })

export interface Standing {
  /** `impossible`: cannot be met any more. */
  readonly state: 'met' | 'waiting' | 'impossible'
  /** The reason why the condition is met, or what is missing. */
  readonly reason: string
  readonly apps?: readonly WaitedApp[]
}

export interface WaitCheck {
  look(now: number): Standing | Promise<Standing>
  close?(): void
}

export const met = (reason: string): Standing => ({state: 'met', reason})
export const waiting = (reason: string): Standing => ({state: 'waiting', reason})
export const impossible = (reason: string): Standing => ({state: 'impossible', reason})
