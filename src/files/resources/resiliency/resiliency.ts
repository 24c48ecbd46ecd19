import type {Place} from '../../../model/errors.ts'
import {nearMiss} from '../../../model/near-miss.ts'
import {BUILT_IN_RETRY} from '../defaults.ts'
import type {Field} from '../field.ts'
import {headOf, type ResourceFile, type ResourceHead} from '../resource-file.ts'
import {MAX_FAULTS, type ResourceFault} from '../fault.ts'
import type {CircuitBreakerPolicy, Policies, Resiliency, RetryPolicy} from './policies.ts'
import {readPolicies} from './read-policies.ts'
import {readTargets, type PolicyNames, type PolicyReference, type Targets} from './targets.ts'

/** A Resiliency resource (Dapr: pkg/apis/resiliency/v1alpha1/types.go). */
export interface ResiliencyResource extends ResourceHead {
  readonly policies: Policies
  readonly targets: Targets
  readonly references: readonly PolicyReference[]
  readonly place: Place
}

/** The policies for calls to one target. */
export interface TargetPolicies {
  /** 0: none. */
  readonly timeoutMs: number
  readonly retry: RetryPolicy | undefined
  readonly circuitBreaker: CircuitBreakerPolicy | undefined
  readonly circuitBreakerCacheSize: number
  /** Whether the target is listed: then neither defaults nor built-in retries apply. */
  readonly isListed: boolean
}

const isResiliency = (document: Field): boolean => document.field('kind').text() === 'Resiliency'

/**
 * Reads the Resiliency of a file. Undefined if it is unusable; the file's faults have the reason. As Dapr, reads only the first document
 * (pkg/resiliency, loadLocalResiliencyPath).
 */
export async function readResiliency({documents, faults}: ResourceFile): Promise<ResiliencyResource | undefined> {
  const [document, ...others] = documents
  for (const other of others.filter(isResiliency))
    other.warn('only the first document of a file is read for a Resiliency: this one has no effect', {
      hint: 'put it into a file of its own'
    })
  if (document === undefined || !isResiliency(document)) return undefined
  const {line} = document.place
  const errors = (): number => faults.filter(({severity}) => severity === 'error').length
  // an earlier document that is not valid YAML makes this one the second, which Dapr does not read
  const isSecond = faults.some(({severity, place}) => severity === 'error' && place.line < line)
  const before = errors()
  const resource = await readResource(document)
  return isSecond || errors() > before ? undefined : resource
}

async function readResource(document: Field): Promise<ResiliencyResource> {
  document.warnUnknownKeys(['apiVersion', 'kind', 'metadata', 'scopes', 'spec'])
  const spec = document.field('spec')
  spec.warnUnknownKeys(['policies', 'targets'])
  const name = document.field('metadata').field('name')
  if (name.text() === '') name.warn('metadata.name is empty', {expected: 'expected a name for the resource'})
  return {
    ...headOf(document),
    policies: await readPolicies(spec.field('policies')),
    ...readTargets(spec.field('targets')),
    place: (name.isAbsent ? document : name).place
  }
}

/**
 * Merges the policies of a caller in the order of folders and files: later names win. Reports equal names of resources, and targets with
 * undefined policies, which Dapr ignores.
 */
export function mergeResiliencies(
  all: readonly ResiliencyResource[],
  appId: string
): {readonly resiliency: Resiliency; readonly faults: readonly ResourceFault[]} {
  const resources = all.filter(({scopes}) => scopes.length === 0 || scopes.includes(appId))
  const policies = {
    timeouts: new Map(resources.flatMap(each => [...each.policies.timeouts])),
    retries: new Map([
      [BUILT_IN_RETRY.name, BUILT_IN_RETRY] as const,
      ...resources.flatMap(each => [...each.policies.retries])
    ]),
    circuitBreakers: new Map(resources.flatMap(each => [...each.policies.circuitBreakers]))
  }
  const targets = {
    apps: new Map(resources.flatMap(each => [...each.targets.apps])),
    actors: new Map(resources.flatMap(each => [...each.targets.actors])),
    components: new Map(resources.flatMap(each => [...each.targets.components]))
  }
  const unknown = resources
    .flatMap(({references}) => references)
    .filter(({kind, name}) => !policies[POLICY_KEYS[kind]].has(name))
  // few: each unknown name is compared with all names of policies, to suggest one
  const faults = [...sameNames(resources), ...unknown.slice(0, MAX_FAULTS).map(each => unknownPolicy(each, policies))]
  return {resiliency: {resources: resources.map(({name, namespace}) => ({name, namespace})), policies, targets}, faults}
}

function sameNames(resources: readonly ResiliencyResource[]): readonly ResourceFault[] {
  return resources.flatMap(({name, namespace, place}, index) => {
    const earlier = resources.slice(0, index).find(other => other.name === name && other.namespace === namespace)
    if (earlier === undefined) return []
    const at = `${earlier.place.file}:${earlier.place.line}`
    const message = `there is a Resiliency "${name}" already (${at}): both hold, and where they differ this one wins`
    return [{severity: 'warning', message, place, expected: '', hint: 'rename one of them'} as const]
  })
}

const POLICY_KEYS = {timeout: 'timeouts', retry: 'retries', circuitBreaker: 'circuitBreakers'} as const

function unknownPolicy({kind, name, place, target}: PolicyReference, policies: Policies): ResourceFault {
  const near = nearMiss(name, policies[POLICY_KEYS[kind]].keys())
  const message = `targets.${target} names ${kind} "${name}", which is not in policies.${POLICY_KEYS[kind]}: it has no ${kind}`
  return {severity: 'warning', message, place, expected: '', hint: near === '' ? '' : `did you mean ${near}?`}
}

const CACHE_SIZE = 100

/**
 * Returns the policies for calls to an app, an HTTPEndpoint or a URL. For a target that `targets.apps` does not list, policies with
 * default names apply, each kind by itself: `DefaultAppRetryPolicy` before `DefaultRetryPolicy`.
 */
export function appPolicies({policies, targets}: Resiliency, target: string): TargetPolicies {
  const entry = targets.apps.get(target)
  const names = entry ?? defaultNames(policies, ['App'])
  const circuitBreakerCacheSize = entry?.circuitBreakerCacheSize ?? CACHE_SIZE
  return {...policiesNamed(policies, names), circuitBreakerCacheSize, isListed: entry !== undefined}
}

/** Direction of a call: ours to a component (`outbound`), or its events to the app (`inbound`). */
export type ComponentDirection = 'inbound' | 'outbound'

/**
 * Returns the policies of a component. For one that `targets.components` does not list, the most specific default names apply:
 * `DefaultPubsubComponentInboundRetryPolicy`, `DefaultComponentInboundRetryPolicy`, `DefaultComponentRetryPolicy`, `DefaultRetryPolicy`.
 * `kind`: `Pubsub`, `Statestore` (Dapr: ComponentPolicy.getPolicyLevels).
 */
export function componentPolicies(
  {policies, targets}: Resiliency,
  {name, kind, direction}: {readonly name: string; readonly kind: string; readonly direction: ComponentDirection}
): Omit<TargetPolicies, 'circuitBreakerCacheSize'> {
  const within = direction === 'inbound' ? 'ComponentInbound' : 'ComponentOutbound'
  const entry = targets.components.get(name)
  const names = entry?.[direction] ?? defaultNames(policies, [kind + within, within, 'Component'])
  return {...policiesNamed(policies, names), isListed: entry !== undefined}
}

const policiesNamed = (
  {timeouts, retries, circuitBreakers}: Resiliency['policies'],
  {timeout, retry, circuitBreaker}: PolicyNames
): Pick<TargetPolicies, 'timeoutMs' | 'retry' | 'circuitBreaker'> => ({
  timeoutMs: timeouts.get(timeout) ?? 0,
  retry: retries.get(retry),
  circuitBreaker: circuitBreakers.get(circuitBreaker)
})

/**
 * Returns the policies for calls to actors of a type. For a type that `targets.actors` does not list, default names apply:
 * `DefaultActorRetryPolicy` before `DefaultRetryPolicy` (Dapr: ActorPolicy.getPolicyLevels).
 */
export function actorPolicies(
  {policies, targets}: Resiliency,
  type: string
): TargetPolicies & {readonly isBrokenById: boolean} {
  const entry = targets.actors.get(type)
  const names = entry ?? defaultNames(policies, ['Actor'])
  return {
    ...policiesNamed(policies, names),
    circuitBreakerCacheSize: entry?.circuitBreakerCacheSize ?? CACHE_SIZE,
    isListed: entry !== undefined,
    isBrokenById: entry !== undefined && entry.circuitBreakerScope !== 'type'
  }
}

/** Returns the names of default policies: of each kind the first level that is defined, else the general one. */
function defaultNames({timeouts, retries, circuitBreakers}: Policies, levels: readonly string[]): PolicyNames {
  const find = (known: ReadonlyMap<string, unknown>, kind: string): string =>
    [...levels, ''].map(level => `Default${level}${kind}Policy`).find(name => known.has(name)) ?? ''
  const [timeout, retry] = [find(timeouts, 'Timeout'), find(retries, 'Retry')]
  return {timeout, retry, circuitBreaker: find(circuitBreakers, 'CircuitBreaker')}
}
