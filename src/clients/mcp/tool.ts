import type {Route} from '../../control/api-client.ts'
import type {FoundRun} from '../../control/client.ts'
import {UserError} from '../../model/errors.ts'

/** JSON Schema of an argument, as far as it is used here. */
export interface ToolProperty {
  /** Omitted: any JSON. */
  readonly type?: 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object'
  readonly description?: string
  readonly items?: {readonly type: 'string' | 'integer'}
  readonly additionalProperties?: {readonly type: 'string'}
  readonly enum?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
}

export type ToolProperties = Readonly<Record<string, ToolProperty>>

/** Checked arguments: each one that is given has the type of its property. */
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
  /** Finds the run with a name, for '' the run of this folder. Rejects with a UserError. `tell` adds notes to the answer. */
  find(name: string, tell: (text: string) => void): Promise<FoundRun>
  /** Names of the runs that a call without a name could mean. */
  names(): Promise<readonly string[]>
  /** Runs a command of this program in this folder, to its end. */
  command(args: readonly string[]): Promise<CommandEnd>
}

/** Routes that a tool asks together, if it has the `required` arguments. `takes` and `required` are the arguments of the first route. */
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
  /** Whether a call may change something. */
  readonly changes?: true
  /** Whether the tool is offered only once an app uses workflows, jobs or actors. */
  readonly isForWork?: true
  readonly properties: ToolProperties
  readonly required?: readonly string[]
  readonly choices: readonly RouteChoice[]
  /** Names of arguments in the routes, by their names in the tool, where the two differ. */
  readonly names: Readonly<Record<string, string>>
  /** Keys of answers that an agent does not need. */
  readonly hides?: readonly string[]
  readonly default?: Readonly<Record<string, unknown>>
}

export interface Tool extends Row {
  /** Answers without a run; resolves with undefined if a run is needed. `error`: why no run was found; undefined: none was searched yet. */
  readonly alone?: (host: Host, given: Arguments, error?: UserError) => Promise<ToolResult | undefined>
  /** Throws a UserError. `signal`: the client has given up. */
  readonly run?: (run: FoundRun, given: Arguments, signal: AbortSignal) => Promise<ToolResult>
}

/** An error in our own words, with a text of an app, which the answer marks as data. */
export class SaidByApp extends UserError {
  readonly said: string

  constructor(message: string, said: string) {
    super(message)
    this.said = said
  }
}

export const givenText = (given: Arguments, name: string): string => (given[name] as string | undefined) ?? ''

export const givenOf = (all: Arguments, ...names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.flatMap(name => (all[name] === undefined ? [] : [[name, all[name] as string]])))

export const givenNumber = (given: Arguments, name: string, otherwise = 0): number =>
  (given[name] as number | undefined) ?? otherwise

/** Returns the groups of `pattern` in the cursor, none without a cursor. Throws a UserError for a cursor that no answer gave: it would lead to the first rows. */
export function cursorParts(given: Arguments, pattern: RegExp): readonly string[] {
  const cursor = givenText(given, 'cursor')
  const found = cursor === '' ? [] : pattern.exec(cursor)
  if (found === null)
    throw new UserError(`no answer gave the cursor "${cursor}"`, {explanation: 'Leave it out for the first rows.'})
  return found.slice(1)
}

export const cursorOf = (given: Arguments): number => Number(cursorParts(given, /^(\d{1,15})$/)[0] ?? 0)
