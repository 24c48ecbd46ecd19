import type {Environment} from '@marcbachmann/cel-js'
import {loadFor, parseExpression, problemIn, withMatches} from './cel.ts'

/** A CloudEvent as it was unmarshalled. */
export type EventFields = Readonly<Record<string, unknown>>

/** Whether a rule matches an event. Throws for a result that is not a boolean. */
export type FitsRule = (event: EventFields) => boolean

/** A compiled `match`. */
interface CompiledRule {
  readonly fits: FitsRule
}

/** Reason why a `match` cannot be used. */
interface RuleFault {
  readonly message: string
  /** Characters of the expression before it. */
  readonly offset: number
}

let environment: Environment | undefined

/** Most apps have no rules: the first one loads the library. */
async function loadEnvironment(): Promise<Environment> {
  const {Environment} = await import('@marcbachmann/cel-js')
  return withMatches(new Environment({unlistedVariablesAreDyn: true}).registerVariable('event', 'dyn'))
}

export const always: FitsRule = () => true

/**
 * Compiles a CEL rule over `event` (Dapr: pkg/runtime/pubsub, pkg/expr). An empty rule matches always; a rule that fails, for example at
 * a missing field, does not match.
 */
export async function compileRule(expression: string): Promise<CompiledRule | RuleFault> {
  if (expression === '') return {fits: always}
  environment ??= await loadEnvironment()
  await loadFor(expression)
  try {
    const evaluate = parseExpression(environment, expression)
    const {valid, type = '', error} = evaluate.check()
    if (!valid) return faultOf(error)
    if (type !== 'bool' && type !== 'dyn')
      return {message: `the rule is of type ${type} and not true or false`, offset: 0}
    return {fits: event => fits(expression, evaluate, event)}
  } catch (error) {
    return faultOf(error)
  }
}

function fits(
  expression: string,
  evaluate: (variables: {readonly event: EventFields}) => unknown,
  event: EventFields
): boolean {
  let result: unknown
  try {
    result = evaluate({event})
  } catch {
    return false
  }
  if (typeof result !== 'boolean') throw new Error(`the result of match expression ${expression} was not a boolean`)
  return result
}

function faultOf(error: unknown): RuleFault {
  const {problem, offset} = problemIn(error)
  return {message: `the rule does not compile: ${problem}`, offset}
}
