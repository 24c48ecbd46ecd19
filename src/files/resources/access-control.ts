import type {Place} from '../../model/errors.ts'
import {DEFAULT_TRUST_DOMAIN} from '../../model/environment.ts'
import type {Field} from './field.ts'

/** The action of a rule or the default. As in Dapr, anything but `allow`, in any capitals, denies. */
export type AccessAction = 'allow' | 'deny'

interface OperationRule {
  /** A path with wildcards, as written. */
  readonly name: string
  /** Methods (`POST`, `*`), which apply only to HTTP apps. */
  readonly verbs: readonly string[]
  readonly action: AccessAction
  readonly place: Place
}

export interface CallerPolicy {
  readonly appId: string
  readonly trustDomain: string
  readonly namespace: string
  /** Default of the policy; '': the default for callers without a policy applies. */
  readonly defaultAction: AccessAction | ''
  readonly operations: readonly OperationRule[]
  readonly place: Place
}

/** `spec.accessControl` of a Configuration: the callers that its app admits. */
export interface AccessControl {
  readonly defaultAction: AccessAction
  /** The app's own trust domain, part of the identity under which it calls other apps. */
  readonly trustDomain: string
  readonly policies: readonly CallerPolicy[]
  readonly place: Place
}

/**
 * Reads `spec.accessControl` of a Configuration; undefined allows everything. Missing keys have the values of Dapr's
 * default Configuration: `allow` and the trust domain `public` (pkg/config, LoadDefaultConfiguration). With a fault of severity `error` Dapr does not start, and the rules are unknown.
 */
export const readAccessControl = (spec: Field): AccessControl | undefined => {
  const field = spec.field('accessControl')
  return field.isAbsent ? undefined : readRules(field)
}

function readRules(field: Field): AccessControl {
  field.warnUnknownKeys(['defaultAction', 'trustDomain', 'policies'])
  const action = field.field('defaultAction')
  const policies = field.field('policies')
  const items = policies.items()
  warnRepeated(items)
  noteMissing(items)
  return {
    defaultAction: globalAction(action, policies, items.length),
    trustDomain: field.field('trustDomain').text() || DEFAULT_TRUST_DOMAIN,
    policies: items.map(readPolicy),
    place: (action.isAbsent ? field : action).place
  }
}

/** Returns the global action. Omitted, it is `allow`; an empty text means `deny` if there are policies or no key for them. */
function globalAction(action: Field, policies: Field, count: number): AccessAction {
  if (action.isAbsent) return 'allow'
  if (action.text() !== '') return readAction(action)
  if (!policies.isAbsent && count === 0) return 'allow'
  action.warn('No global default action has been specified. Setting default global action as Deny', {
    expected: 'expected allow or deny'
  })
  return 'deny'
}

function readPolicy(field: Field): CallerPolicy {
  field.warnUnknownKeys(['appId', 'defaultAction', 'trustDomain', 'namespace', 'operations'])
  const action = field.field('defaultAction')
  const operations = field.field('operations').items().map(readOperation)
  return {
    appId: field.field('appId').text(),
    trustDomain: field.field('trustDomain').text(),
    namespace: field.field('namespace').text(),
    defaultAction: action.text() === '' ? '' : readAction(action),
    operations,
    place: (action.isAbsent ? field : action).place
  }
}

function readOperation(field: Field): OperationRule {
  field.warnUnknownKeys(['name', 'httpVerb', 'action'])
  const verbs = field.field('httpVerb').items()
  for (const verb of verbs) {
    const text = verb.text()
    if (text !== text.toUpperCase())
      verb.warn(`httpVerb ${text} matches nothing: verbs are compared as they are written`, {
        hint: `write ${text.toUpperCase()}`
      })
  }
  return {
    name: field.field('name').text(),
    verbs: verbs.map(verb => verb.text()),
    action: readAction(field.field('action')),
    place: field.place
  }
}

function readAction(field: Field): AccessAction {
  const text = field.text().toLowerCase()
  if (text !== 'allow' && text !== 'deny')
    field.warn(`${field.path} is ${text === '' ? 'empty' : `"${text}"`}: it denies`, {
      expected: 'expected allow or deny'
    })
  return text === 'allow' ? 'allow' : 'deny'
}

const keyOf = (policy: Field): string => `${policy.field('appId').text()}||${policy.field('namespace').text()}`

/** Warns of repetitions: of two policies for one caller the later one wins, of two operations of one name the earlier one. */
function warnRepeated(policies: readonly Field[]): void {
  const last = new Map(policies.map(policy => [keyOf(policy), policy]))
  for (const policy of policies) {
    if (last.get(keyOf(policy)) !== policy)
      policy.warn('a later policy has the same appId and namespace: this one has no effect')
    const names = new Set<string>()
    for (const operation of policy.field('operations').items()) {
      const name = operation.field('name')
      const path = withSlash(name.text())
      if (names.has(path)) name.warn(`there is an operation ${path} already: this one has no effect`)
      names.add(path)
    }
  }
}

/** Returns an operation with the slash that the tree of operations expects. */
export const withSlash = (name: string): string => (name.startsWith('/') ? name : `/${name}`)

const ids = (policies: readonly Field[]): string => `[${policies.map(each => each.field('appId').text()).join(' ')}]`

/** Warns in Dapr's words (pkg/acl, ParseAccessControlSpec) of the first policy that lacks a part. */
function noteMissing(policies: readonly Field[]): void {
  const without = (key: string): readonly Field[] => policies.filter(policy => policy.field(key).text() === '')
  const [noDomain, noNamespace, noName] = [without('trustDomain'), without('namespace'), without('appId')]
  const lacking = new Set([...noDomain, ...noNamespace, ...noName])
  const first = policies.find(policy => lacking.has(policy))
  if (first === undefined) return
  const hasNoName = noName.length > 0
  const message = `invalid access control spec. missing trustdomain for apps: ${ids(noDomain)}, missing namespace for apps: ${ids(noNamespace)}, missing app name on at least one of the app policies: ${hasNoName}`
  first.error(message, {
    expected: 'expected appId, trustDomain and namespace in each policy',
    hint: first.field('app').isAbsent ? '' : 'the key is appId, not app'
  })
}
