import t from 'tap'
import {scene} from './scene.ts'

const features = (...names: readonly string[]): string =>
  `kind: Configuration\nspec: {features: [${names.map(name => `{name: ${name}, enabled: true}`).join(', ')}]}\n`

t.test('features that Dapr has for all by now are not called unsupported', async t => {
  const {store, open, write} = scene(t, {'config.yaml': features('Resiliency', 'PubSub.Routing', 'proxy.grpc')})
  await open()
  t.strictSame(store.withoutEffect, [])
  write(
    'config.yaml',
    `${features('Resiliency', 'WorkflowHistorySigning', 'WorkflowsFastPath').trimEnd().slice(0, -2)}, {name: HotReload, enabled: false}]}\n`
  )
  await store.refresh()
  t.strictSame(
    store.withoutEffect.map(({what, why, place}) => `${what}: ${why}, ${place.line}`),
    [
      'spec.features WorkflowHistorySigning: it is not supported yet, 2',
      'spec.features WorkflowsFastPath: it is not supported yet, 2',
      'spec.features HotReload: it is always on, 2'
    ]
  )
})

t.test('a Configuration is read as yaml.v3 reads it: exact keys, once, texts as written, one document', async t => {
  const {store, open, write, warnings} = scene(t, {
    'config.yaml':
      'kind: Configuration\nspec:\n  accessControl:\n    trustDomain: 1.10\n    defaultaction: deny\n---\nspec: [\n'
  })
  const app = await open()
  t.match(app.snapshot.configuration.accessControl, {defaultAction: 'allow', trustDomain: '1.10'})
  t.match(warnings, [/unknown key spec\.accessControl\.defaultaction: .*did you mean defaultAction\?/])
  write('config.yaml', 'kind: Configuration\nspec: {tracing: {samplingRate: "1"}}\nspec: {}\n')
  await store.refresh()
  t.match(warnings[1], /config\.yaml:3:1: not valid YAML: mapping key "spec" already defined/)
  write('config.yaml', 'spec: {tracing: {otel: {endpointAddress: "c:1", protocol: grpc, timeout: 10}}}\n')
  await store.refresh()
  t.match(warnings[2], /spec\.tracing\.otel\.timeout: time: missing unit in duration "10"/)
  write('config.yaml', 'kind: Configuration\nSpec: {}\nspec: {httpPipeline: {Handlers: []}}\n')
  await store.refresh()
  t.match(warnings.slice(3), [
    /unknown key Spec: it has no effect \(did you mean spec\?\)/,
    /unknown key spec\.httpPipeline\.Handlers/
  ])
})
