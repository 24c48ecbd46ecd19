import {posix} from 'node:path'
import {percentDecoded} from '../../net/grpc/status.ts'
import type {Call} from '../../../model/call.ts'
import type {Place} from '../../../model/errors.ts'
import {
  withSlash,
  type AccessControl,
  type AccessAction,
  type CallerPolicy
} from '../../../files/resources/access-control.ts'
import type {Denied} from '../admission.ts'
import type {CalleeCounters} from '../callee-counters.ts'
import type {CallerIdentity} from '../caller-header.ts'
import {starPattern} from '../../../model/name-pattern.ts'

/** The called method. */
export interface CalledMethod {
  /** The method, normalised, with or without a leading slash. */
  readonly method: string
  /** The method in upper case; '' if there is none (gRPC). */
  readonly verb: string
}

/** Whether a call may be made. */
export interface Decision {
  readonly isAllowed: boolean
  /** Deciding policy, for the metrics: the caller's own, or the global default; empty without access control. */
  readonly by: 'app' | 'global' | ''
  /** The rule that decided, with its place, for messages. */
  readonly rule: string
}

const NO_ACCESS_CONTROL: Decision = {isAllowed: true, by: '', rule: ''}

interface OperationPolicy {
  readonly verbs: readonly string[]
  readonly decision: Decision
}

/** The policy for one caller; all its decisions are prepared. */
interface Caller {
  readonly trustDomain: string
  readonly byDefault: Decision
  /** Decision about calls without a verb whose operation matches. The global default does not apply to them. */
  readonly withoutVerb: Decision
  readonly operations: OperationTree<OperationPolicy>
}

/**
 * Decides whether an app may be called (Dapr: pkg/acl, isOperationAllowedByAccessControlPolicy). Does not apply to calls
 * of an app to itself and to external endpoints.
 */
export class AccessControlInterceptor {
  readonly #isHttp: boolean
  readonly #byDefault: Decision
  readonly #callers: ReadonlyMap<string, Caller>

  /** `isHttp`: the app speaks HTTP, so verbs are checked and paths compared ignoring case. */
  constructor(accessControl: AccessControl | undefined, isHttp: boolean) {
    this.#isHttp = isHttp
    this.#byDefault =
      accessControl === undefined
        ? NO_ACCESS_CONTROL
        : decision('global', accessControl.defaultAction, 'defaultAction', accessControl.place)
    const policies = accessControl?.policies ?? []
    this.#callers = new Map(policies.map(policy => [keyOf(policy), this.#read(policy)]))
  }

  /** Why a call may not be made; undefined: it may. The decision is noted in the call and counted. */
  refusal(
    call: Call,
    caller: CallerIdentity | undefined,
    counters: Pick<CalleeCounters, 'decided'> | undefined
  ): Denied | undefined {
    // gRPC has no verb (Dapr: pkg/acl)
    const operation = {method: operationOf(call.path), verb: call.isProxied === true ? 'NONE' : call.method}
    const {isAllowed, by, rule} = this.decide(caller, operation)
    // counts only once: a call asks again after a refused connection, and before each attempt
    if (by !== '' && call.access === undefined) {
      call.access = {isAllowed, by, rule}
      counters?.decided(call.access, caller)
    }
    if (isAllowed) return undefined
    const error = `rpc error: code = PermissionDenied desc = ${denial(caller, operation)} (${rule})`
    return {ok: false, status: 403, error}
  }

  /** `caller` is undefined if it is unknown: then the global default applies. */
  decide(caller: CallerIdentity | undefined, {method, verb}: CalledMethod): Decision {
    const known = caller === undefined ? undefined : this.#callers.get(keyOf(caller))
    if (known === undefined || known.trustDomain !== caller?.trustDomain) return this.#byDefault
    const path = withSlash(method)
    const operation = known.operations.find(this.#isHttp ? path.toLowerCase() : path)
    if (operation === undefined) return known.byDefault
    if (!this.#isHttp || operation.verbs.includes(verb)) return operation.decision
    if (verb === '') return known.withoutVerb
    return operation.verbs.includes('*') ? operation.decision : known.byDefault
  }

  #read({appId, trustDomain, defaultAction, operations, place}: CallerPolicy): Caller {
    const by = defaultAction === '' ? 'global' : 'app'
    const tree = new OperationTree<OperationPolicy>()
    for (const {name, verbs, action, place: ofRule} of operations) {
      const path = withSlash(name)
      const decided = decision(by, action, `operation ${name} of ${appId}`, ofRule)
      tree.add(this.#isHttp ? path.toLowerCase() : path, {verbs, decision: decided})
    }
    const own = decision(by, defaultAction || 'deny', `defaultAction of ${appId}`, place)
    return {trustDomain, byDefault: defaultAction === '' ? this.#byDefault : own, withoutVerb: own, operations: tree}
  }
}

/** The method that a path calls, as the app will read it: decoded, without the query, never above its root. */
function operationOf(path: string): string {
  const end = path.indexOf('?')
  const escaped = end < 0 ? path : path.slice(0, end)
  // nearly all are clean
  const isClean = !escaped.includes('%') && !escaped.includes('//') && !escaped.includes('/.')
  if (isClean) return escaped.startsWith('/') ? escaped.slice(1) : escaped
  return posix.normalize(escaped.includes('%') ? percentDecoded(escaped) : escaped).replace(/^\//, '')
}

const keyOf = ({appId, namespace}: {readonly appId: string; readonly namespace: string}): string =>
  `${appId}||${namespace}`

const decision = (by: Decision['by'], action: AccessAction, name: string, {file, line}: Place): Decision => ({
  isAllowed: action === 'allow',
  by,
  rule: `${name}: ${action}, ${file}:${line}`
})

/** A caller as its certificate would name it; '' if it is unknown. */
export const spiffeId = (caller: CallerIdentity | undefined): string =>
  caller === undefined ? '' : `spiffe://${caller.trustDomain}/ns/${caller.namespace}/${caller.appId}`

/** The error for a denied caller, as Dapr words it; status PERMISSION_DENIED over gRPC, 403 over HTTP. */
export const denial = (caller: CallerIdentity | undefined, {method, verb}: CalledMethod): string =>
  `access control policy has denied access to id: ${spiffeId(caller)} operation: ${method} verb: ${verb || 'NONE'}`

interface Node<Rule> {
  /** A step of a path with its slash: `/op`, `/*`, `/v*`. */
  readonly step: string
  rule: Rule | undefined
  readonly children: Node<Rule>[]
}

const ONE_STEP = '/*'
const ANY_STEPS = '/**'

const stepsOf = (path: string): readonly string[] =>
  path
    .split('/')
    .slice(1)
    .map(step => `/${step}`)

/**
 * Rules by path, found as Dapr's access control does (pkg/config/acl_trie.go): the first matching child is taken, without backtracking. A
 * rule applies to all paths below its own, except one that ends in a single `*`, which also applies to the path above it.
 */
export class OperationTree<Rule> {
  readonly #root: Node<Rule> = {step: '/', rule: undefined, children: []}

  /** The first rule of a path is kept. */
  add(path: string, rule: Rule): void {
    let node = this.#root
    for (const step of stepsOf(path)) {
      const known = node.children.find(child => child.step === step)
      const next = known ?? {step, rule: undefined, children: []}
      if (known === undefined) node.children.push(next)
      node = next
    }
    node.rule ??= rule
  }

  /** The rule for a path with a leading slash. */
  find(path: string): Rule | undefined {
    let node = this.#root
    for (let start = 0; ;) {
      const slash = path.indexOf('/', start + 1)
      const isLast = slash === -1
      const next = childFor(node, isLast ? path.slice(start) : path.slice(start, slash), isLast)
      if (next === undefined) return undefined
      node = next
      const holdsBelow = !node.step.endsWith(ONE_STEP)
      if (node.rule !== undefined && (isLast || holdsBelow)) return node.rule
      if (isLast) return childFor(node, ONE_STEP, true)?.rule
      start = slash
    }
  }
}

function childFor<Rule>({children}: Node<Rule>, step: string, isLast: boolean): Node<Rule> | undefined {
  return children.find(child => {
    if (child.step === step || child.step === ANY_STEPS) return true
    return child.step === ONE_STEP ? isLast : matchesStep(step, child.step)
  })
}

/** Whether a text matches a pattern, in which `*` matches any characters or none. */
export const matchesStep = (text: string, pattern: string): boolean =>
  pattern.includes('*') ? starPattern(pattern)(text) : text === pattern
