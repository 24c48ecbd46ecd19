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
  /** The normalised path of the method, with or without a leading slash. */
  readonly method: string
  /** HTTP method in upper case; '': none. */
  readonly verb: string
}

/** A decision of access control about a call. */
export interface Decision {
  readonly isAllowed: boolean
  /** Policy that decided, for the metrics: the caller's own, or the global default; '': the callee has no access control. */
  readonly by: 'app' | 'global' | ''
  /** Rule that decided, with its file and line, for messages. */
  readonly rule: string
}

const NO_ACCESS_CONTROL: Decision = {isAllowed: true, by: '', rule: ''}

interface OperationPolicy {
  readonly verbs: readonly string[]
  readonly decision: Decision
}

/** The policy for one caller, with the decision of each rule computed in advance. */
interface Caller {
  readonly trustDomain: string
  readonly byDefault: Decision
  /** Decision about calls without a verb that match an operation. Such calls skip the global default. */
  readonly withoutVerb: Decision
  readonly operations: OperationTree<OperationPolicy>
}

/**
 * Decides which apps may call an app, by the access control of its Configuration (Dapr: pkg/acl,
 * isOperationAllowedByAccessControlPolicy). Calls of an app to itself, and calls to external endpoints, are not checked.
 */
export class AccessControlInterceptor {
  readonly #isHttp: boolean
  readonly #byDefault: Decision
  readonly #callers: ReadonlyMap<string, Caller>

  /** `isHttp`: the app speaks HTTP, so that verbs are checked, and paths are compared ignoring case. */
  constructor(accessControl: AccessControl | undefined, isHttp: boolean) {
    this.#isHttp = isHttp
    this.#byDefault =
      accessControl === undefined
        ? NO_ACCESS_CONTROL
        : decision('global', accessControl.defaultAction, 'defaultAction', accessControl.place)
    const policies = accessControl?.policies ?? []
    this.#callers = new Map(policies.map(policy => [keyOf(policy), this.#read(policy)]))
  }

  /** Returns the denial of a call; undefined: the call is allowed. Records and counts the decision. */
  refusal(
    call: Call,
    caller: CallerIdentity | undefined,
    counters: Pick<CalleeCounters, 'decided'> | undefined
  ): Denied | undefined {
    // gRPC has no verb (Dapr: pkg/acl)
    const operation = {method: operationOf(call.path), verb: call.isProxied === true ? 'NONE' : call.method}
    const {isAllowed, by, rule} = this.decide(caller, operation)
    // counts a call once, although it asks again before each attempt and after a refused connection
    if (by !== '' && call.access === undefined) {
      call.access = {isAllowed, by, rule}
      counters?.decided(call.access, caller)
    }
    if (isAllowed) return undefined
    const error = `rpc error: code = PermissionDenied desc = ${denial(caller, operation)} (${rule})`
    return {ok: false, status: 403, error}
  }

  /** Decides about a call of an operation. `caller`: undefined if unknown, so that the global default applies. */
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

/** Returns the method of a path as the app will read it: decoded, without the query, with `..` resolved. */
function operationOf(path: string): string {
  const end = path.indexOf('?')
  const escaped = end < 0 ? path : path.slice(0, end)
  // fast way for paths that need no normalisation, which are nearly all
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

/** Returns the SPIFFE ID of a caller, which Dapr reads from its certificate; '': unknown caller. */
export const spiffeId = (caller: CallerIdentity | undefined): string =>
  caller === undefined ? '' : `spiffe://${caller.trustDomain}/ns/${caller.namespace}/${caller.appId}`

/** Returns Dapr's error text for a denied caller. Its status is PERMISSION_DENIED over gRPC, 403 over HTTP. */
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
 * Rules by path, searched as Dapr's access control does (pkg/config/acl_trie.go): descends into the first matching child, without
 * backtracking. A rule also applies to all paths below its own. A rule whose last step is `*` applies to the path above it instead.
 */
export class OperationTree<Rule> {
  readonly #root: Node<Rule> = {step: '/', rule: undefined, children: []}

  /** Adds the rule of a path. A path that has a rule already keeps the first one. */
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

  /** Returns the rule for a path with a leading slash; undefined: none matches. */
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
