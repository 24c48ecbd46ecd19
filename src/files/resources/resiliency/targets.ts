import type {Place} from '../../../model/errors.ts'
import type {Field} from '../field.ts'

/** Names of policies; empty without one of that kind. */
export interface PolicyNames {
  readonly timeout: string
  readonly retry: string
  readonly circuitBreaker: string
}

/** The policies for calls to one app, HTTPEndpoint or URL. */
interface AppTarget extends PolicyNames {
  /** Maximum number of circuit breakers that are kept for the target at once. */
  readonly circuitBreakerCacheSize: number
}

interface ActorTarget extends AppTarget {
  readonly circuitBreakerScope: string
}

interface ComponentTarget {
  readonly inbound: PolicyNames
  readonly outbound: PolicyNames
}

export interface Targets {
  readonly apps: ReadonlyMap<string, AppTarget>
  readonly actors: ReadonlyMap<string, ActorTarget>
  readonly components: ReadonlyMap<string, ComponentTarget>
}

/** A name of a policy in a target; the policy may be in another resource. */
export interface PolicyReference {
  readonly kind: keyof PolicyNames
  readonly name: string
  readonly place: Place
  /** `apps.checkout`. */
  readonly target: string
}

const KINDS = ['timeout', 'retry', 'circuitBreaker'] as const
const APP_CACHE_SIZE = 100
const ACTOR_CACHE_SIZE = 5000

/** Reads `spec.targets` (Dapr: pkg/resiliency, decodeTargets). Faults are noted at their fields. */
export function readTargets(spec: Field): {readonly targets: Targets; readonly references: readonly PolicyReference[]} {
  spec.warnUnknownKeys(['apps', 'actors', 'components'])
  const references: PolicyReference[] = []
  const names = (field: Field, target: string): PolicyNames => {
    const named: Record<keyof PolicyNames, string> = {timeout: '', retry: '', circuitBreaker: ''}
    for (const kind of KINDS) {
      const name = field.field(kind).text()
      named[kind] = name
      if (name !== '') references.push({kind, name, place: field.field(kind).place, target})
    }
    return named
  }
  const apps = new Map<string, AppTarget>()
  for (const [id, field] of spec.field('apps').entries()) {
    field.warnUnknownKeys([...KINDS, 'circuitBreakerCacheSize'])
    apps.set(id, {...names(field, `apps.${id}`), circuitBreakerCacheSize: readCacheSize(field, APP_CACHE_SIZE)})
  }
  const actors = new Map<string, ActorTarget>()
  for (const [type, field] of spec.field('actors').entries()) {
    field.warnUnknownKeys([...KINDS, 'circuitBreakerCacheSize', 'circuitBreakerScope'])
    actors.set(type, {
      ...names(field, `actors.${type}`),
      circuitBreakerScope: readScope(field),
      circuitBreakerCacheSize: readCacheSize(field, ACTOR_CACHE_SIZE)
    })
  }
  const components = new Map<string, ComponentTarget>()
  for (const [name, field] of spec.field('components').entries()) {
    field.warnUnknownKeys(['inbound', 'outbound'])
    const within = (direction: 'inbound' | 'outbound'): PolicyNames => {
      field.field(direction).warnUnknownKeys(KINDS)
      return names(field.field(direction), `components.${name}.${direction}`)
    }
    components.set(name, {inbound: within('inbound'), outbound: within('outbound')})
  }
  return {targets: {apps, actors, components}, references}
}

function readCacheSize(target: Field, usual: number): number {
  const field = target.field('circuitBreakerCacheSize')
  const size = field.integer() ?? 0
  if (size < 0) field.error('circuitBreakerCacheSize: must provide a positive size')
  return size > 0 ? size : usual
}

function readScope(target: Field): string {
  const field = target.field('circuitBreakerScope')
  const scope = field.text()
  const expected = 'expected type, id or both'
  if (target.field('circuitBreaker').text() === '') return scope
  if (scope === '') target.error('actor circuit breakers must include scope', {expected})
  else if (!['type', 'id', 'both'].includes(scope))
    field.error(`unknown circuit breaker scope ${JSON.stringify(scope)}`, {expected})
  return scope
}
