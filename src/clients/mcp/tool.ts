import type {Route} from '../../control/api-client.ts'
import type {FoundRun} from '../../control/client.ts'
import {UserError} from '../../model/errors.ts'

/** JSON Schema of an argument, as far as it is used here. */
export interface ToolProperty {
  /** Left out: any JSON. */
  readonly type?: 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object'
  readonly description?: string
  readonly items?: {readonly type: 'string' | 'integer'}
  readonly additionalProperties?: {readonly type: 'string'}
  readonly enum?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
}

export type ToolProperties = Readonly<Record<string, ToolProperty>>

/** Arguments that were checked: each is what its property says, or is not given. */
export type Arguments = Readonly<Record<string, unknown>>

export interface ToolResult {
  readonly [key: string]: unknown
  readonly content: {readonly type: 'text'; readonly text: string}[]
  readonly isError?: boolean
}

/** The outcome of a command of this program. */
export interface CommandEnd {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** The parts of the command line that tools use. */
export interface Host {
  /** Finds the run of this name, or of this folder if the name is ''. Rejects with a UserError. `tell` gets notes for the answer. */
  find(name: string, tell: (text: string) => void): Promise<FoundRun>
  /** Names of the runs that a call without a name could mean. */
  names(): Promise<readonly string[]>
  /** Runs a command of this program in this folder, to its end. */
  command(args: readonly string[]): Promise<CommandEnd>
}

/** A request that a tool can send: its routes, and the names of the first one. */
export interface RouteChoice {
  readonly routes: readonly Route[]
  readonly takes: readonly string[]
  readonly required: readonly string[]
}

/** A tool as `x-tools` of `schema/api.yaml` describes it. */
export interface Row {
  readonly name: string
  /** The description, for the model that uses it. */
  readonly description: string
  /** Whether it may change something. */
  readonly changes?: true
  /** Whether the tool is offered only once an app uses workflows, jobs or actors. */
  readonly isForWork?: true
  readonly properties: ToolProperties
  readonly required?: readonly string[]
  readonly choices: readonly RouteChoice[]
  /** Names in the routes of the arguments that have others there. */
  readonly names: Readonly<Record<string, string>>
  /** Keys of answers that an agent does not need. */
  readonly hides?: readonly string[]
  readonly default?: Readonly<Record<string, unknown>>
}

export interface Tool extends Row {
  /** Answers without a run; undefined: it needs one. `error`: why there is none; undefined: none was looked for yet. */
  readonly alone?: (host: Host, given: Arguments, error?: UserError) => Promise<ToolResult | undefined>
  /** Throws a UserError. `signal`: the client has given up. */
  readonly run?: (run: FoundRun, given: Arguments, signal: AbortSignal) => Promise<ToolResult>
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

/** The arguments of these names that are given. */
export const givenOf = (all: Arguments, ...names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.flatMap(name => (all[name] === undefined ? [] : [[name, all[name] as string]])))

export const givenNumber = (given: Arguments, name: string, otherwise = 0): number =>
  (given[name] as number | undefined) ?? otherwise

/** The parts of a cursor; there are none where none is given. Throws a UserError if no answer gave it: it would lead to the first rows again. */
export function cursorParts(given: Arguments, pattern: RegExp): readonly string[] {
  const cursor = givenText(given, 'cursor')
  const found = cursor === '' ? [] : pattern.exec(cursor)
  if (found === null)
    throw new UserError(`no answer gave the cursor "${cursor}"`, {explanation: 'Leave it out for the first rows.'})
  return found.slice(1)
}

/** A cursor that is a number. */
export const cursorOf = (given: Arguments): number => Number(cursorParts(given, /^(\d{1,15})$/)[0] ?? 0)
