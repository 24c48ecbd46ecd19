import {join} from 'node:path'
import t from 'tap'
import {restrictionsIn} from '../../../src/template/configuration.ts'

const configuration = (spec: string): string =>
  `kind: Other\n---\napiVersion: dapr.io/v1alpha1\nkind: Configuration\nspec:\n${spec}`

t.test('the parts of a Configuration that restrict calls are named', async t => {
  const table: readonly (readonly [string, readonly string[]])[] = [
    ['  tracing: {samplingRate: "1"}\n', []],
    ['  accessControl: {defaultAction: deny}\n', ['accessControl']],
    ['  mtls: {enabled: false}\n', []],
    ['  mtls: {enabled: true}\n  httpPipeline: {handlers: [{name: a, type: b}]}\n', ['mtls', 'httpPipeline']],
    ['  api: {allowed: []}\n', []],
    ['  api: {denied: [{name: state}]}\n', ['api']]
  ]
  for (const [spec, expected] of table) {
    const folder = t.testdir({'config.yaml': configuration(spec)})
    t.same(restrictionsIn(join(folder, 'config.yaml')), expected, spec)
  }
})

t.test('a file that is not there or not YAML restricts nothing', async t => {
  const folder = t.testdir({'config.yaml': '{'})
  t.same(restrictionsIn(join(folder, 'none.yaml')), [])
  t.same(restrictionsIn(join(folder, 'config.yaml')), [])
})
