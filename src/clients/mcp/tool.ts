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
  readonly required: readonly string[]
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

/** A cursor that is a number. */
export const cursorOf = (given: Arguments): number => Number(givenText(given, 'cursor')) || 0

export const CURSOR = textProperty('Continue where an earlier answer ended: the cursor that it gave')

export const APP = textProperty('The id of the app; shop.2 is its second instance')
