import t from 'tap'
import {parseAllDocuments, parseDocument} from 'yaml'
import type {KubernetesObject} from '../object.ts'
import {yamlText} from '../write-files.ts'
import {KEYS, SETTING} from './every-key.ts'
import {daprAnnotations, kubernetesChecks} from './schemas.ts'
import {allOf, objectsIn, orders} from './shop.ts'

const checks = kubernetesChecks()

t.test('what every key makes is valid in three versions of Kubernetes, without unknown fields', async t => {
  t.equal(checks.size, 3)
  for (const [key, lines] of Object.entries(KEYS))
    for (const object of allOf(await objectsIn(t, orders(...lines), SETTING)))
      for (const [version, check] of checks) t.equal(check(object), '', `${key}: ${object.kind}, ${version}`)
})

const header = (kind: string, version = 'v1alpha1'): string =>
  `apiVersion: dapr.io/${version}\nkind: ${kind}\nmetadata: {name: x}\n`

t.test("Dapr's resources as the laptop takes them are valid under Dapr's definitions", async t => {
  const files = {
    'config.yaml': `${header('Configuration')}spec:\n  tracing: {samplingRate: "1"}\n  accessControl: {defaultAction: deny}\n`,
    res: {
      'bare.yaml': 'apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: bare}\nspec: {type: state.redis}\n',
      'numbers.yaml': [
        'apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: numbers, labels: {a: 1}, annotations: {b: yes}}',
        'spec: {type: state.redis, version: 1, initTimeout: 5, ignoreErrors: yes, metadata: [{name: 1, value: 010}, {name: b, value: {c: 1}},',
        '  {name: k, secretKeyRef: {name: 1, key: 2}}, {name: d, value: 2001-12-14}, {name: e, value: 12345678901234567890}, {name: f, value: yes}]}',
        'auth: {secretStore: 1}',
        'scopes: [orders, 2]\n'
      ].join('\n'),
      'endpoint.yaml': `${header('HTTPEndpoint')}spec: {baseUrl: https://example.com}\n`,
      'resiliency.yaml': `${header('Resiliency')}spec: {policies: {timeouts: {a: 5s}}, targets: {apps: {orders: {timeout: a}}}}\nscopes: [orders]\n`,
      'subscription.yaml': `${header('Subscription', 'v2alpha1')}spec: {topic: a, pubsubname: b, routes: {default: /a}}\n`,
      'more.yml': `${header('Subscription')}spec: {topic: a, pubsubname: b, route: /a}\n`.replace('name: x', 'name: y'),
      'other.yaml': 'kind: ConfigMap\napiVersion: v1\nmetadata: {name: x}\n---\n- a list\n---\n',
      'notes.txt': 'a: [1'
    }
  }
  const {resources} = await objectsIn(t, orders('resourcesPath: ../res', 'configFilePath: ../config.yaml'), {files})
  t.strictSame(
    resources.map(({object, shownAs}) => `${shownAs} ${object.kind}`),
    [
      'res/bare.yaml Component',
      'res/endpoint.yaml HTTPEndpoint',
      'res/more.yml Subscription',
      'res/numbers.yaml Component',
      'res/resiliency.yaml Resiliency',
      'res/subscription.yaml Subscription',
      'config.yaml Configuration'
    ]
  )
  for (const {object} of resources)
    for (const [version, check] of checks) t.equal(check(object), '', `${object.kind}, ${version}`)
  const numbers = resources.find(({object}) => object.metadata.name === 'numbers')
  t.match(numbers?.object, {
    metadata: {labels: {a: '1'}, annotations: {b: 'true'}},
    spec: {
      version: '1',
      metadata: [
        {name: '1', value: 8},
        {name: 'b', value: {c: 1}},
        {secretKeyRef: {name: '1', key: '2'}},
        {value: '2001-12-14'},
        {value: '12345678901234567890'},
        {value: true}
      ]
    },
    scopes: ['orders', '2']
  })
})

t.test("every annotation for a sidecar is one that Dapr's injector reads", async t => {
  const known = new Set(daprAnnotations())
  t.ok(known.size > 50)
  const found = new Set<string>()
  for (const lines of Object.values(KEYS)) {
    const objects = allOf(await objectsIn(t, orders(...lines), {...SETTING, nativeSidecar: true}))
    for (const [, name = ''] of JSON.stringify(objects).matchAll(/"(dapr\.io\/[a-z-]+)":/g)) found.add(name)
  }
  t.ok(found.size > 20, found.size.toString())
  t.strictSame(
    [...found].filter(name => !known.has(name)),
    []
  )
})

t.test('the checks find what is wrong', async t => {
  const deployment = {apiVersion: 'apps/v1', kind: 'Deployment', metadata: {name: 'x', labels: {}}, spec: {}}
  const component = {
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'Component',
    metadata: {name: 'x', labels: {}},
    spec: {type: 'a.b'}
  }
  for (const check of checks.values()) {
    t.match(check(deployment), /required property 'selector'/)
    t.match(check({...deployment, spec: {replicaz: 1}}), /additional properties/)
    t.match(check(component), /required property 'metadata'/)
    t.match(check({...deployment, kind: 'Pod'}), /no kind Pod/)
  }
})

/** Texts that one YAML or the other reads as something else. */
const DOUBTFUL = [
  ...'yes no on y n true null'.split(' '),
  '~',
  '',
  ...'010 0o10 0x1f 1_000 1e3 .5 1. 1:30:00 2001-12-14 ='.split(' '),
  '<<',
  '.inf',
  '.NaN',
  '+1',
  '- a',
  'a: b',
  'a #b',
  '#a',
  '*a',
  '&a',
  '!a',
  '|',
  '>',
  '%',
  '@',
  '`',
  '{',
  '[',
  '"',
  "'",
  ' a',
  'a ',
  'a\nb',
  '\t',
  '\u2028',
  '\u0085',
  '🙂',
  '---',
  '...',
  '? a',
  ':',
  'a:',
  '\\',
  'x'.repeat(2000)
]

t.test('what is written is read as it was by YAML 1.1 and 1.2', async t => {
  for (const version of ['1.1', '1.2'] as const) {
    for (const text of DOUBTFUL) {
      const written = yamlText({a: text, [text]: [text]})
      t.strictSame(
        parseDocument(written, {version, uniqueKeys: false}).toJS(),
        {a: text, [text]: [text]},
        `${version} ${encodeURIComponent(text)}`
      )
    }
    const all = parseAllDocuments(DOUBTFUL.map(text => yamlText({text})).join('---\n'), {version})
    t.strictSame(
      all.map(document => (document.toJS() as {readonly text: string}).text),
      DOUBTFUL
    )
  }
})

t.test('nothing that a template holds changes on the way', async t => {
  const env = Object.fromEntries(
    DOUBTFUL.filter(text => !/[\u2028\u0085]/.test(text)).map((text, index) => [`V${index}`, text])
  )
  const [object] = allOf(await objectsIn(t, orders(`env: ${JSON.stringify(env)}`)))
  const read = parseDocument(yamlText(object), {version: '1.1'}).toJS() as KubernetesObject
  t.strictSame(read, JSON.parse(JSON.stringify(object)))
  t.match(JSON.stringify(read), JSON.stringify({name: 'V5', value: 'true'}))
})
