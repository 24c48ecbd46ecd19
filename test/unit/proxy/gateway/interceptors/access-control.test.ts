import t from 'tap'
import type {CallerIdentity} from '../../../../../src/proxy/gateway/caller-header.ts'
import {
  AccessControlInterceptor,
  denial,
  spiffeId
} from '../../../../../src/proxy/gateway/interceptors/access-control.ts'
import {readAccessControl} from '../../../../../src/files/resources/access-control.ts'
import {parseResourceFile} from '../../../../../src/files/resources/resource-file.ts'

// The policies and the cases of Dapr's pkg/acl/acl_test.go.
const POLICIES = `kind: Configuration
spec:
  accessControl:
    defaultAction: deny
    trustDomain: abcd
    policies:
    - appId: app1
      defaultAction: allow
      trustDomain: public
      namespace: ns1
      operations:
      - {name: /op1, httpVerb: [POST, GET], action: allow}
      - {name: /op2, httpVerb: ["*"], action: deny}
    - appId: app2
      defaultAction: deny
      trustDomain: domain1
      namespace: ns2
      operations:
      - {name: /op3/a/*, httpVerb: [PUT, GET], action: allow}
      - {name: /op4, httpVerb: [POST], action: allow}
    - appId: app3
      trustDomain: domain1
      namespace: ns1
      operations:
      - {name: /op5, httpVerb: [POST], action: allow}
    - appId: app4
      defaultAction: deny
      trustDomain: domain1
      namespace: ns2
      operations:
      - {name: /op6, action: allow}
      - {name: /op7/a/b/*, action: allow}
      - {name: /op7/a/b/c/f, action: allow}
      - {name: /op7/a/b*, action: allow}
      - {name: /op7/c/**, action: allow}
    - appId: app1
      defaultAction: allow
      trustDomain: public
      namespace: ns4
      operations:
      - {name: /op6, httpVerb: ["*"], action: allow}
`

const open = (text: string, isHttp: boolean): AccessControlInterceptor => {
  const {documents, faults} = parseResourceFile({file: 'config.yaml', text})
  const spec = documents[0]?.field('spec')
  const accessControl = spec && readAccessControl(spec)
  if (faults.some(({severity}) => severity === 'error')) throw new Error('it cannot be read')
  return new AccessControlInterceptor(accessControl, isHttp)
}

const who = (text: string): CallerIdentity | undefined => {
  const [trustDomain = '', namespace = '', appId = ''] = text.split(' ')
  return text === '' ? undefined : {trustDomain, namespace, appId}
}

t.test('decisions for an app that speaks HTTP', async t => {
  const table: readonly (readonly [
    name: string,
    caller: string,
    verb: string,
    method: string,
    allowed: boolean,
    by: string
  ])[] = [
    ['no matching app', 'public ns1 appX', 'POST', 'op1', false, 'global'],
    ['trust domain does not match', 'private ns1 app1', 'POST', 'op1', false, 'global'],
    ['namespace does not match', 'public abcd app1', 'POST', 'op1', false, 'global'],
    ['unknown caller', '', 'POST', 'op1', false, 'global'],
    ['the same app in another namespace', 'public ns4 app1', 'DELETE', 'op6', true, 'app'],
    ['operation not found', 'public ns1 app1', 'POST', 'opX', true, 'app'],
    ['in other capitals', 'public ns1 app1', 'POST', 'Op2', false, 'app'],
    ['verb not listed', 'domain1 ns2 app2', 'PUT', 'op4', false, 'app'],
    ['verb not listed, no default of the app', 'domain1 ns1 app3', 'PUT', 'op5', false, 'global'],
    ['any verb', 'public ns1 app1', 'PUT', 'op2', false, 'app'],
    ['a listed verb', 'domain1 ns2 app2', 'POST', 'op4', true, 'app'],
    ['a listed verb, no default of the app', 'domain1 ns1 app3', 'POST', 'op5', true, 'global'],
    ['with a slash', 'domain1 ns2 app2', 'POST', '/op4', true, 'app'],
    ['no verb', 'domain1 ns2 app2', '', 'op4', false, 'app'],
    ['no verb, no default of the app', 'domain1 ns1 app3', '', 'op5', false, 'global'],
    ['the path above a wildcard', 'domain1 ns2 app2', 'PUT', '/op3/a', true, 'app'],
    ['beside a wildcard', 'domain1 ns2 app2', 'PUT', '/op3/b/b', false, 'app'],
    ['within a wildcard', 'domain1 ns2 app2', 'PUT', '/op3/a/b', true, 'app'],
    ['below a wildcard', 'domain1 ns2 app2', 'PUT', '/op3/a/b/c', false, 'app'],
    ['below a literal operation', 'domain1 ns2 app2', 'POST', '/op4/deeper', true, 'app']
  ]
  const accessControl = open(POLICIES, true)
  for (const [name, caller, verb, method, isAllowed, by] of table)
    t.match(accessControl.decide(who(caller), {method, verb}), {isAllowed, by}, name)
})

t.test('without a verb the global default does not replace that of the caller', async t => {
  const text = `spec:
  accessControl:
    policies:
    - {appId: a, trustDomain: public, namespace: default, operations: [{name: /x, httpVerb: ["*"], action: allow}]}
`
  const accessControl = open(text, true)
  const caller = who('public default a')
  t.equal(accessControl.decide(caller, {method: 'x', verb: 'GET'}).isAllowed, true)
  t.equal(accessControl.decide(caller, {method: 'x', verb: ''}).isAllowed, false)
  t.equal(accessControl.decide(caller, {method: 'y', verb: ''}).isAllowed, true)
})

t.test('decisions for an app that speaks gRPC', async t => {
  const table: readonly (readonly [caller: string, method: string, allowed: boolean])[] = [
    ['domain1 ns2 app2', '/OP4', false],
    ['domain1 ns2 app2', 'op4', true],
    ['domain1 ns2 app4', 'op6', true],
    ['domain1 ns2 app4', 'op7/a/b/c', true],
    ['domain1 ns2 app4', 'op7/a/b/c/d', false],
    ['domain1 ns2 app4', 'op7/a/b/c/f', true],
    ['domain1 ns2 app4', 'op7/a/bc', true],
    ['domain1 ns2 app4', 'op7/c/d/e', true]
  ]
  const accessControl = open(POLICIES, false)
  for (const [caller, method, isAllowed] of table)
    t.equal(accessControl.decide(who(caller), {method, verb: ''}).isAllowed, isAllowed, `${caller} ${method}`)
})

t.test('without access control everything is allowed', async t => {
  const decision = open('kind: Configuration\n', true).decide(who('public ns1 app1'), {method: 'op1', verb: 'POST'})
  t.strictSame(decision, {isAllowed: true, by: '', rule: ''})
})

t.test('a decision names its rule with its place', async t => {
  const accessControl = open(POLICIES, true)
  const table: readonly (readonly [caller: string, verb: string, method: string, rule: string])[] = [
    ['public ns1 appX', 'POST', 'op1', 'defaultAction: deny, config.yaml:4'],
    ['private ns1 app1', 'POST', 'op1', 'defaultAction: deny, config.yaml:4'],
    ['domain1 ns2 app2', 'PUT', 'op4', 'defaultAction of app2: deny, config.yaml:15'],
    ['domain1 ns1 app3', 'PUT', 'op5', 'defaultAction: deny, config.yaml:4'],
    ['public ns1 app1', 'PUT', 'op2', 'operation /op2 of app1: deny, config.yaml:13']
  ]
  for (const [caller, verb, method, rule] of table)
    t.equal(accessControl.decide(who(caller), {method, verb}).rule, rule)
})

t.test('the error of a denied caller', async t => {
  const caller = who('public default checkout')
  t.equal(
    denial(caller, {method: 'orders', verb: 'POST'}),
    'access control policy has denied access to id: spiffe://public/ns/default/checkout operation: orders verb: POST'
  )
  t.equal(
    denial(undefined, {method: 'orders', verb: ''}),
    'access control policy has denied access to id:  operation: orders verb: NONE'
  )
  t.equal(spiffeId(undefined), '')
})
