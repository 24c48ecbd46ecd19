import t from 'tap'
import {objectsIn, orders, refusal} from './shop.ts'

t.test('app ids that cannot name objects', async t => {
  const table: readonly (readonly [id: string, hint: RegExp | ''])[] = [
    ['Front_End', /write front-end, wherever the app is called/],
    ['1shop', /write shop,/],
    ['shop.v1', /write shop-v1,/],
    ['a'.repeat(59), ''],
    ['über', '']
  ]
  for (const [id, hint] of table) {
    const {message, explanation, stream} = await refusal(t, orders(`appID: ${id}`))
    t.equal(stream, 'stdout')
    t.match(message, `app ${JSON.stringify(id)}: the id cannot name objects in Kubernetes`)
    t.match(explanation, /^dapr\.yaml:7:12\n.*\n *\^+\nexpected a lower case letter, then/)
    if (hint !== '') t.match(explanation, hint)
  }
  await objectsIn(t, orders(`appID: ${'a'.repeat(58)}`))
})

const app = (id: string): string => `  - {appID: ${id}, appDirPath: ./orders, containerImage: a}\n`

t.test('two app ids that differ only by case are both told', async t => {
  const {mistakes} = await refusal(t, `version: 1\napps:\n${app('Shop')}${app('sHOP')}`)
  t.match(
    mistakes.map(({message}) => message),
    [/"Shop": the id/, /"sHOP": the id/]
  )
})

t.test('createService without a port, no image, and a build file that could be used', async t => {
  t.match(await refusal(t, orders('createService: true')), {
    message: /app "orders": createService needs an appPort/,
    explanation: /^dapr\.yaml:7:20\n/
  })
  const bare = 'version: 1\napps:\n  - appID: orders\n    appDirPath: ./orders\n'
  t.match(await refusal(t, bare), {message: /app "orders" has no containerImage/, explanation: /^dapr\.yaml:4:5\n/})
  t.match(await refusal(t, bare, {files: {orders: {Dockerfile: ''}}}), {
    explanation: /build its Dockerfile with run -k --build/
  })
  const images = new Map([['orders', {image: 'a:1', pullPolicy: 'IfNotPresent' as const}]])
  t.match(JSON.stringify(await objectsIn(t, bare, {images})), /"image":"a:1","imagePullPolicy":"IfNotPresent"/)
})

t.test('names of variables, labels and annotations', async t => {
  t.match(await refusal(t, orders('env: {A: 1, "b c": 2}')), {
    message: /Kubernetes does not take "b c" as the name of a variable/,
    explanation: /^dapr\.yaml:7:24\n/
  })
  t.match(await refusal(t, orders('envFile: ../.env'), {files: {'.env': '"x=2'}}), {
    message: /Kubernetes does not take "\\"x" as the name of a variable/,
    explanation: /^dapr\.yaml:7:14\n/
  })
  t.match(await refusal(t, orders('kubernetes: {labels: {"a b": x}}')), {
    message: /kubernetes\.labels: "a b" is not a name/
  })
  t.match(await refusal(t, orders('kubernetes: {labels: {app: x}}')), {message: /the label app is set by Pillion/})
  t.match(await refusal(t, orders('kubernetes: {annotations: {/x: y}}')), {message: /kubernetes\.annotations: "\/x"/})
})

t.test('values inside kubernetes that the schema refuses have their place', async t => {
  const table: readonly (readonly [string, RegExp, string])[] = [
    ['kubernetes: {replicas: -1}', /wrong value of kubernetes\.replicas/, '7:28'],
    ['kubernetes: {replicas: "2"}', /wrong value of kubernetes\.replicas/, '7:28'],
    ['kubernetes: {job: maybe}', /wrong value of kubernetes\.job/, '7:23'],
    ['kubernetes: {service: Ingress}', /wrong value of kubernetes\.service/, '7:27'],
    ['kubernetes: {replica: 2}', /unknown key replica in kubernetes/, '7:18'],
    ['kubernetes: {resources: {limits: {cpu: much}}}', /wrong value of kubernetes\.resources\.limits\.cpu/, '7:44'],
    ['kubernetes: {resources: {limit: {cpu: 1}}}', /unknown key limit in kubernetes\.resources/, '7:30'],
    ['kubernetes: {labels: {team: "a b"}}', /wrong value of kubernetes\.labels\.team/, '7:33'],
    ['kubernetes: {serviceAccount: A}', /wrong value of kubernetes\.serviceAccount/, '7:34'],
    ['kubernetes: {imagePullSecrets: registry}', /wrong value of kubernetes\.imagePullSecrets/, '7:36'],
    ['kubernetes: {patch: [1]}', /wrong value of kubernetes\.patch/, '7:25'],
    ['kubernetes: 3', /wrong value of kubernetes/, '7:17']
  ]
  for (const [line, message, place] of table) {
    const error = await refusal(t, orders(line)).catch((thrown: unknown) => thrown)
    t.match(error, {message, explanation: new RegExp(`^dapr\\.yaml:${place}\n`)}, line)
  }
})

t.test('a patch cannot take what objects are found by', async t => {
  const refused = async (patch: string): Promise<string> =>
    (await refusal(t, orders(`kubernetes: {patch: ${patch}}`))).message
  t.match(await refused('{kind: StatefulSet}'), /cannot change kind$/)
  t.match(await refused('{metadata: {name: x}}'), /cannot change metadata\.name/)
  t.match(await refused('{metadata: ~}'), /cannot change metadata$/)
  t.match(await refused('{metadata: {labels: ~}}'), /cannot change metadata\.labels$/)
  t.match(
    await refused('{metadata: {labels: {pillion/template: ~}}}'),
    /cannot change metadata\.labels\.pillion\/template/
  )
  await objectsIn(t, orders('kubernetes: {patch: {metadata: {labels: {mine: x}, annotations: {a: b}}}}'))
})

t.test('an environment that no program or no object can hold', async t => {
  t.match(await refusal(t, orders(`env: {A: b, BIG: ${'x'.repeat(128 * 1024)}}`)), {
    message: /app "orders": the variable BIG is longer than 128 KiB: no program can be started with it/,
    explanation: /put large values into a file/
  })
  await objectsIn(t, orders(`env: {A: b, BIG: ${'x'.repeat(128 * 1024 - 5)}}`))
  const many = Array.from({length: 2000}, (_, index) => `      V${index}: ${'x'.repeat(500)}`)
  const {message} = await refusal(t, `${orders('env:')}${many.join('\n')}\n`)
  t.match(message, /app "orders": its Deployment has \d+ bytes, and Kubernetes keeps at most 1048576/)
})

const component = (name: string, more = ''): string =>
  `apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: ${name}}\nspec: {type: state.redis, version: v1${more}}\n`

t.test('resources: two meanings of a name, names that are none, and files that are no YAML', async t => {
  const refused = async (files: Readonly<Record<string, string>>) =>
    refusal(t, orders('resourcesPath: ../res'), {files: {res: files}})
  t.match(await refused({'a.yaml': component('x'), 'b.yaml': component('x', ', ignoreErrors: true')}), {
    message: /res\/b\.yaml: there are two different Components "x": the other one is at res\/a\.yaml:3/,
    explanation: /^res\/b\.yaml:3:18\n/
  })
  t.match(await refused({'a.yaml': component('My_Store')}), {
    message: /"My_Store" cannot name a Component in Kubernetes/
  })
  t.match(await refused({'a.yaml': component('""')}), {message: /"" cannot name a Component/})
  for (const [type, said] of [
    ['5', 'spec.type is no text'],
    ['true', 'spec.type is no text'],
    ['{a: b}', 'spec.type is no text'],
    ['""', 'spec.type is empty']
  ] as const)
    t.match(await refused({'a.yaml': component('x').replace('state.redis', type)}), {
      message: said,
      explanation: /expected a text such as state\.redis/
    })
  t.match(await refused({'a.yaml': component('x').replace('type: state.redis, ', '')}), {
    message: /spec\.type is missing/
  })
  t.match(await refused({'a.yaml': 'a: [1'}), {message: /res\/a\.yaml: not valid YAML/})
  t.match(await refused({'a.yaml': 'apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: 3\n'}), {
    message: /metadata has a value of a wrong type/
  })
})

t.test('resources that contain themselves, or grow without end', async t => {
  const refused = async (spec: string) =>
    refusal(t, orders('resourcesPath: ../res'), {files: {res: {'a.yaml': component('x').replace(/spec: .*\n/, spec)}}})
  const message =
    /res\/a\.yaml: not valid YAML: (?:anchor 's' value contains itself|document contains excessive aliasing)/
  t.match(await refused('spec: &s {type: a.b, metadata: [*s]}\n'), {message})
  t.match(await refused('spec: &s\n  type: a.b\n  more: *s\n'), {message})
  const lines = Array.from(
    {length: 12},
    (_, index) =>
      `  k${index}: &k${index} [${Array.from({length: 9}, () => (index === 0 ? 'x' : `*k${index - 1}`)).join(', ')}]`
  )
  t.match(await refused(`spec:\n  type: a.b\n${lines.join('\n')}\n`), {message})
})

t.test('all mistakes are told at once', async t => {
  const {message, mistakes} = await refusal(
    t,
    'version: 1\napps:\n  - {appID: A, appDirPath: ./orders}\n  - {appID: b, appDirPath: ./checkout, createService: true}\n'
  )
  t.match(message, /^Error getting apps from config file:\n/)
  t.strictSame(
    mistakes.map(({place}) => `${place.line}:${place.column}`),
    ['4:13', '4:5', '5:5', '5:55']
  )
})
