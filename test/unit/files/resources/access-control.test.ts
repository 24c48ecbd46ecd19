import t from 'tap'
import {parseResourceFile} from '../../../../src/files/resources/resource-file.ts'
import {readAccessControl, type AccessControl} from '../../../../src/files/resources/access-control.ts'

const read = (text: string): {accessControl: AccessControl | undefined; faults: string[]} => {
  const {documents, faults} = parseResourceFile({file: 'config.yaml', text: `kind: Configuration\nspec:\n${text}`})
  const spec = documents[0]?.field('spec')
  return {
    accessControl: spec && readAccessControl(spec),
    faults: faults.map(({severity, place, message, expected, hint}) =>
      [`${severity} ${place.line}:${place.column}`, message, expected, hint].filter(Boolean).join(' | ')
    )
  }
}

const POLICY =
  '{appId: a, trustDomain: public, namespace: default, operations: [{name: op, httpVerb: [GET], action: Allow}]}'

t.test('a Configuration without access control', async t => {
  t.strictSame(read('  tracing: {}\n'), {accessControl: undefined, faults: []})
  t.strictSame(read('  accessControl:\n'), {accessControl: undefined, faults: []})
})

t.test('policies as written', async t => {
  const {accessControl, faults} = read(`  accessControl:\n    defaultAction: Deny\n    policies:\n    - ${POLICY}\n`)
  t.strictSame(faults, [])
  t.match(accessControl, {
    defaultAction: 'deny',
    trustDomain: 'public',
    policies: [
      {
        appId: 'a',
        trustDomain: 'public',
        namespace: 'default',
        defaultAction: '',
        operations: [{name: 'op', verbs: ['GET'], action: 'allow', place: {file: 'config.yaml', line: 6}}]
      }
    ]
  })
})

t.test('the default for all', async t => {
  const table: readonly (readonly [spec: string, action: string, warnings: number])[] = [
    ['{}', 'allow', 0],
    ['{trustDomain: x}', 'allow', 0],
    ['{defaultAction: DENY}', 'deny', 0],
    [`{policies: [${POLICY}]}`, 'allow', 0],
    [`{defaultAction: "", policies: [${POLICY}]}`, 'deny', 1],
    ['{defaultAction: "", policies: []}', 'allow', 0],
    ['{defaultAction: ""}', 'deny', 1],
    ['{defaultAction: alow}', 'deny', 1]
  ]
  for (const [spec, action, warnings] of table) {
    const {accessControl, faults} = read(`  accessControl: ${spec}\n`)
    t.equal(accessControl?.defaultAction, action, spec)
    t.equal(faults.length, warnings, spec)
    t.ok(faults.every(fault => fault.startsWith('warning')))
  }
})

t.test('policies that lack something are refused in the words of Dapr', async t => {
  const table: readonly (readonly [policies: string, fault: string])[] = [
    [
      '[{appId: app1, namespace: ns1}, {appId: app2, trustDomain: d}, {trustDomain: d, namespace: n}]',
      'error 4:16 | invalid access control spec. missing trustdomain for apps: [app1], missing namespace for apps: [app2], missing app name on at least one of the app policies: true | expected appId, trustDomain and namespace in each policy'
    ],
    [
      '[{appId: a}, {appId: b}]',
      'error 4:16 | invalid access control spec. missing trustdomain for apps: [a b], missing namespace for apps: [a b], missing app name on at least one of the app policies: false | expected appId, trustDomain and namespace in each policy'
    ]
  ]
  for (const [policies, fault] of table)
    t.strictSame(read(`  accessControl:\n    policies: ${policies}\n`).faults, [fault])
  const old = read('  accessControl:\n    policies: [{app: a, trustDomain: d, namespace: n}]\n').faults
  t.match(old, [/the key is appId, not app$/, /^warning 4:17 \| unknown key .*\.app: it has no effect/])
})

t.test('what has no effect is told', async t => {
  const spec = `  accessControl:
    policies:
    - appId: a
      trustDomain: public
      namespace: default
      defaultAction: perhaps
      operations:
      - {name: /x, httpVerb: [get], action: allow}
      - {name: x, httpVerb: ["*"]}
    - ${POLICY}
`
  t.strictSame(read(spec).faults, [
    'warning 5:7 | a later policy has the same appId and namespace: this one has no effect',
    'warning 11:16 | there is an operation /x already: this one has no effect',
    'warning 10:31 | httpVerb get matches nothing: verbs are compared as they are written | write GET',
    'warning 11:9 | spec.accessControl.policies[0].operations[1].action is empty: it denies | expected allow or deny',
    'warning 8:22 | spec.accessControl.policies[0].defaultAction is "perhaps": it denies | expected allow or deny'
  ])
})

t.test('thousands of policies are read in proportion to their number', async t => {
  const policies = Array.from({length: 5000}, (_, index) => `    - ${POLICY.replace('appId: a', `appId: a${index}`)}\n`)
  t.equal(read(`  accessControl:\n    policies:\n${policies.join('')}`).accessControl?.policies.length, 5000)
})
