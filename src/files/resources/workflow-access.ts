import type {Place} from '../../model/errors.ts'
import {POLICED_OPERATIONS, type WorkflowAccess, type WorkflowOperation} from '../../model/workflow-settings.ts'
import type {Field} from './field.ts'
import {headOf, type ResourceFile, type ResourceHead} from './resource-file.ts'
import {literal, matchesName, oneOf, type Range, type Token} from '../../model/name-pattern.ts'

/** Operations that the callers may do with workflows or activities whose names fit. */
interface Grant {
  readonly callers: ReadonlySet<string>
  readonly kind: WorkflowAccess['kind']
  readonly operations: readonly WorkflowOperation[]
  readonly fits: (name: string) => boolean
}

/** Dapr's WorkflowAccessPolicy (pkg/apis/workflowaccesspolicy/v1alpha1): the rights of other apps to workflows and activities. */
export interface WorkflowAccessPolicy extends ResourceHead {
  readonly grants: readonly Grant[]
  readonly place: Place
}

/** Whether an app may use a workflow of another. Without policies all is allowed; else a rule must allow it (Dapr: pkg/acl/workflow/policy.go). */
export const isAccessAllowed = (
  policies: readonly WorkflowAccessPolicy[],
  {caller, kind, operation, name}: WorkflowAccess
): boolean =>
  policies.length === 0 ||
  policies
    .flatMap(({grants}) => grants)
    .some(
      grant =>
        grant.kind === kind && grant.callers.has(caller) && grant.operations.includes(operation) && grant.fits(name)
    )

/** Returns the policies of a file. Leaves out policies that Dapr's CRD would refuse, with a warning. */
export const readAccessPolicies = ({documents}: ResourceFile): readonly WorkflowAccessPolicy[] =>
  documents
    .filter(document => document.field('kind').text() === 'WorkflowAccessPolicy')
    .flatMap(document => readPolicy(document) ?? [])

function readPolicy(document: Field): WorkflowAccessPolicy | undefined {
  document.warnUnknownKeys(['apiVersion', 'kind', 'metadata', 'scopes', 'spec'])
  const spec = document.field('spec')
  spec.warnUnknownKeys(['rules'])
  const rules = spec.field('rules').items().map(readRule)
  if (rules.includes(undefined)) return undefined
  return {...headOf(document), grants: rules.flatMap(rule => rule ?? []), place: document.field('kind').place}
}

/** Reads a rule. Returns undefined if the policy cannot be used. */
function readRule(rule: Field): readonly Grant[] | undefined {
  rule.warnUnknownKeys(['callers', 'workflows', 'activities'])
  const callers = new Set(
    rule
      .field('callers')
      .items()
      .map(caller => {
        caller.warnUnknownKeys(['appID'])
        return caller.field('appID').text()
      })
  )
  const [workflows, activities] = [rule.field('workflows').items(), rule.field('activities').items()]
  if (callers.size === 0 || callers.has('')) return leftOut(rule.field('callers'), 'a list of appID')
  if (workflows.length + activities.length === 0) return leftOut(rule, 'workflows or activities')
  const grants = [
    ...workflows.map(item => readGrant(item, callers, 'workflows')),
    ...activities.map(item => readGrant(item, callers, 'activities'))
  ]
  return grants.includes(undefined) ? undefined : grants.flatMap(grant => grant ?? [])
}

/** Reads grants. Returns undefined if the policy cannot be used, and an empty list if the rule allows nothing. */
function readGrant(item: Field, callers: ReadonlySet<string>, kind: Grant['kind']): readonly Grant[] | undefined {
  const isWorkflow = kind === 'workflows'
  item.warnUnknownKeys(isWorkflow ? ['name', 'operations', 'requires'] : ['name', 'requires'])
  const name = item.field('name')
  if (name.text() === '') return leftOut(name, 'a name, or a pattern such as order*')
  const listed = item.field('operations')
  const operations = isWorkflow ? listed.texts() : ['schedule']
  const isKnown = operations.every((word): word is WorkflowOperation =>
    POLICED_OPERATIONS.some(known => known === word)
  )
  if (!isKnown || operations.length === 0) return leftOut(listed, POLICED_OPERATIONS.join(', '))
  const requires = item.field('requires')
  if (requires.items().length > 0) {
    requires.warn(`${requires.path} is not supported yet: this rule allows nothing`)
    return []
  }
  const fits = goGlob(name.text())
  if (fits !== undefined) return [{callers, kind, operations, fits}]
  name.warn(`${name.path} is no pattern: nothing fits it`, {expected: 'expected a pattern as of Go’s path.Match'})
  return []
}

const leftOut = (field: Field, expected: string): undefined =>
  field.warn(`${field.path}: this WorkflowAccessPolicy is left out`, {expected: `expected ${expected}`})

/** A piece of a pattern: a star, a question mark, a class, an escaped character, or any other. */
const PIECE = /\*|\?|\[(\^?)((?:\\.|[^\]\\])+)\]|\\(.)|[^[\\]/gsuy

/** Reads the characters and ranges of a class, `a-z_`; undefined: not a class. */
function rangesOf(members: string): readonly Range[] | undefined {
  const parts = [...members.matchAll(/(\\.|[^\\-])(?:-(\\.|[^\\-]))?/gsuy)]
  if (parts.map(([part]) => part).join('') !== members) return undefined
  return parts.map(([, low = '', high = low]) => [unescaped(low), unescaped(high)])
}

const unescaped = (character: string): string => character.replace(/^\\/, '')

const notSlash: Token = character => character !== '/'

/** Compiles a pattern of Go's `path.Match`: `*` and `?` match no slash, `[a-z]` and `[^a]` match a character. Returns undefined for a malformed pattern. */
export function goGlob(pattern: string): ((text: string) => boolean) | undefined {
  const tokens: Token[] = []
  let read = 0
  for (const [piece, not, members, escaped] of pattern.matchAll(PIECE)) {
    read += piece.length
    const ranges = members === undefined ? [] : rangesOf(members)
    if (ranges === undefined) return undefined
    if (members !== undefined) tokens.push(oneOf(ranges, not !== ''))
    else if (piece === '*') tokens.push('*')
    else tokens.push(piece === '?' ? notSlash : literal(escaped ?? piece))
  }
  return read === pattern.length ? text => matchesName(text, tokens, '/') : undefined
}
