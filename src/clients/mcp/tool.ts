import type {FoundRun} from '../../control/client.ts'
import {UserError} from '../../model/errors.ts'

/** JSON Schema of an argument, as far as it is used here. */
export interface ToolProperty {
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object'
  readonly description: string
  readonly items?: {readonly type: 'string' | 'integer'}
  readonly additionalProperties?: {readonly type: 'string'}
  readonly enum?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
}

/** Arguments that were checked: each is what its property says, or is not given. */
export type Arguments = Readonly<Record<string, unknown>>

export interface ToolResult {
  readonly [key: string]: unknown
  readonly content: {readonly type: 'text'; readonly text: string}[]
  readonly structuredContent?: Record<string, unknown>
  readonly isError?: boolean
}

export interface Tool {
  readonly name: string
  readonly title: string
  /** The description, for the model that uses it. */
  readonly description: string
  readonly changes: 'nothing' | 'something'
  readonly properties: Readonly<Record<string, ToolProperty>>
  readonly required?: readonly string[]
  /** Throws a UserError. `signal`: the client has given up. */
  readonly run: (run: FoundRun, given: Arguments, signal: AbortSignal) => Promise<ToolResult>
}

/** An error in our own words, and the app's text about it. */
export class SaidByApp extends UserError {
  readonly said: string

  constructor(message: string, said: string) {
    super(message)
    this.said = said
  }
}

export const givenText = (given: Arguments, name: string): string => (given[name] as string | undefined) ?? ''

/** The arguments that are given. */
export const givenTexts = (all: Arguments, ...names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.flatMap(name => (all[name] === undefined ? [] : [[name, givenText(all, name)]])))

export const givenNumber = (given: Arguments, name: string, otherwise: number): number =>
  (given[name] as number | undefined) ?? otherwise

export const textProperty = (description: string): ToolProperty => ({type: 'string', description})

/** The parts of a cursor; there are none where none is given. Throws a UserError if no answer gave it: it would lead to the first rows again. */
export function cursorParts(given: Arguments, pattern: RegExp): readonly string[] {
  const text = givenText(given, 'cursor')
  const found = text === '' ? [] : pattern.exec(text)
  if (found === null)
    throw new UserError(`no answer gave the cursor "${text}"`, {explanation: 'Leave it out for the first rows.'})
  return found.slice(1)
}

/** A cursor that is a number. */
export const cursorOf = (given: Arguments): number => Number(cursorParts(given, /^(\d{1,15})$/)[0] ?? 0)

export const CURSOR = textProperty('Continue where an earlier answer ended: the cursor that it gave')

export const APP = textProperty('The id of the app; shop.2 is its second instance')
