import {join} from 'node:path'
import t from 'tap'
import {restrictionsIn, tracesNothing} from '../../../src/resources/configuration.ts'

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

t.test('a file that is not there restricts nothing; one that is no YAML is told', async t => {
  const folder = t.testdir({'config.yaml': '{'})
  t.same(restrictionsIn(join(folder, 'none.yaml')), [])
  t.throws(() => restrictionsIn(join(folder, 'config.yaml')), {
    message: 'Flow map must end with a } at line 1, column 2'
  })
  t.equal(tracesNothing(join(folder, 'config.yaml')), false)
})

t.test('a file that multiplies without end, or has many keys, is read at once or not at all', async t => {
  const bomb = Array.from({length: 25}, (_, n) => `m${n + 1}: &m${n + 1} {<<: [*m${n}, *m${n}]}\n`).join('')
  const keys = Array.from({length: 60_000}, (_, n) => `  key${n}: 1\n`).join('')
  const folder = t.testdir({'bomb.yaml': `%YAML 1.1\n---\nm0: &m0 {a: 1}\n${bomb}`, 'keys.yaml': configuration(keys)})
  t.throws(() => restrictionsIn(join(folder, 'bomb.yaml')), {message: /^Excessive alias count/})
  t.same(restrictionsIn(join(folder, 'keys.yaml')), [])
})

t.test('a key that is a list or a map is passed over, and nothing is printed by the library that reads it', async t => {
  const printed = t.capture(process, 'emitWarning')
  const folder = t.testdir({
    'config.yaml': configuration('  ? [a]\n  : b\n  ? {c: d}\n  : e\n  mtls: {enabled: true}\n')
  })
  t.same(restrictionsIn(join(folder, 'config.yaml')), ['mtls'])
  t.same(printed(), [])
})

t.test('a sampling rate of 0 switches tracing off', async t => {
  const table: readonly (readonly [string, boolean])[] = [
    ['  tracing: {samplingRate: "0"}\n', true],
    ['  tracing:\n    samplingRate: 0\n', true],
    ['  tracing: {samplingRate: "0.0"}\n', true],
    ['  tracing: {samplingRate: "0.5"}\n', false],
    ['  tracing: {samplingRate: "1"}\n', false],
    ['  tracing: {samplingRate: ""}\n', false],
    ['  tracing: {zipkin: {endpointAddress: x}}\n', false]
  ]
  for (const [spec, expected] of table) {
    const folder = t.testdir({'config.yaml': configuration(spec)})
    t.equal(tracesNothing(join(folder, 'config.yaml')), expected, spec)
  }
  t.equal(tracesNothing(''), false)
  t.equal(tracesNothing('/nowhere/config.yaml'), false)
})
