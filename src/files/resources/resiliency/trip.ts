import type {Environment} from '@marcbachmann/cel-js'
import {nearMiss} from '../../../model/near-miss.ts'
import {orElse} from '../../../model/or-else.ts'
import {loadFor, parseExpression, problemIn, withMatches} from '../cel.ts'

/** Counts of a circuit breaker since its state, or its `interval`, began. */
export interface BreakerCounts {
  readonly requests: number
  readonly totalSuccesses: number
  readonly totalFailures: number
  readonly consecutiveSuccesses: number
  readonly consecutiveFailures: number
}

/** Whether a closed circuit breaker opens; asked after each failure. */
export type Trip = (counts: BreakerCounts) => boolean

/** A mistake in a `trip` expression. */
interface TripFault {
  readonly severity: 'error' | 'warning'
  readonly message: string
  /** Characters of the expression before it. */
  readonly offset: number
  readonly hint: string
}

/** A compiled `trip`; with a fault of severity `error` it never trips. */
interface CompiledTrip {
  readonly trip: Trip
  readonly fault: TripFault | undefined
}

/** The rule without `trip` (sony/gobreaker, defaultReadyToTrip). */
export const defaultTrip: Trip = ({consecutiveFailures}) => consecutiveFailures > 5

const VARIABLES = [
  'requests',
  'totalSuccesses',
  'totalFailures',
  'consecutiveSuccesses',
  'consecutiveFailures'
] as const

/** Environments for expressions. `strict` knows only the counts. `lenient` takes any variable, as Dapr does, and fails at the evaluation. */
interface Environments {
  readonly strict: Environment
  readonly lenient: Environment
}

let environments: Environments | undefined
/** Compiled trips by expression: after a reload an equal rule stays the same object, so its breakers keep their state. */
const compiled = new Map<string, Trip>()

/** Most runs have no circuit breaker: the library is loaded when the first `trip` is read. */
async function loadEnvironments(): Promise<Environments> {
  const {Environment} = await import('@marcbachmann/cel-js')
  // cel-go declares the counts as `any`, too, so that ints can be compared with doubles
  const declare = (unlistedVariablesAreDyn: boolean): Environment =>
    VARIABLES.reduce(
      (environment, name) => environment.registerVariable(name, 'dyn'),
      withMatches(new Environment({unlistedVariablesAreDyn}))
    )
  return {strict: declare(false), lenient: declare(true)}
}

/**
 * Compiles a `trip` expression in CEL (Dapr: pkg/resiliency/breaker and pkg/expr). An expression that fails, or
 * returns another value than true or false, does not trip.
 */
export async function compileTrip(expression: string): Promise<CompiledTrip> {
  environments ??= await loadEnvironments()
  const {strict, lenient} = environments
  await loadFor(expression)
  try {
    const evaluate = parseExpression(lenient, expression)
    const {valid, type = '', error} = evaluate.check()
    if (!valid) return {trip: never, fault: faultOf('error', error)}
    const trip: Trip = compiled.get(expression) ?? (counts => trips(evaluate, counts))
    compiled.set(expression, trip)
    const checked = parseExpression(strict, expression).check()
    if (!checked.valid) return {trip, fault: faultOf('warning', checked.error)}
    if (type === 'bool' || type === 'dyn') return {trip, fault: undefined}
    const message = `trip is of type ${type} and not true or false: the circuit breaker never opens`
    return {trip, fault: {severity: 'warning', message, offset: 0, hint: ''}}
  } catch (error) {
    return {trip: never, fault: faultOf('error', error)}
  }
}

const never: Trip = () => false

/** Evaluates an expression. An error, such as a division by zero, does not trip the breaker, as in Dapr. */
const trips = (evaluate: (variables: Record<string, bigint>) => unknown, counts: BreakerCounts): boolean =>
  orElse(() => evaluate(Object.fromEntries(VARIABLES.map(name => [name, BigInt(counts[name])]))), false) === true

function faultOf(severity: 'error' | 'warning', error: unknown): TripFault {
  const {problem, offset} = problemIn(error)
  const variable = /^Unknown variable: (\w+)/.exec(problem)?.[1]
  const near = variable === undefined ? '' : nearMiss(variable, VARIABLES)
  return {
    severity,
    message: variable === undefined ? `trip does not compile: ${problem}` : `trip has no variable ${variable}`,
    offset,
    hint: near === '' ? `the variables are ${VARIABLES.join(', ')}` : `did you mean ${near}?`
  }
}
