import t from 'tap'
import {parseResourceFile} from '../../../../src/files/resources/resource-file.ts'
import {DEFAULT_METRICS} from '../../../../src/files/resources/defaults.ts'
import {readMetricsSettings, type MetricsSettings} from '../../../../src/files/resources/metrics-settings.ts'

const read = async (spec: string): Promise<{settings: MetricsSettings; faults: string[]}> => {
  const {documents, faults} = parseResourceFile({file: 'config.yaml', text: `kind: Configuration\nspec:\n${spec}`})
  const field = documents[0]?.field('spec')
  if (field === undefined) throw new Error('not read')
  const settings = await readMetricsSettings(field)
  const texts = faults.map(({severity, place, message}) => `${severity} ${place.line}:${place.column} ${message}`)
  return {settings, faults: texts}
}

t.test('settings as written, and what Dapr has for the others', async t => {
  t.strictSame(await read('  tracing: {}\n'), {settings: DEFAULT_METRICS, faults: []})
  t.strictSame(await read('  metric: {}\n'), {settings: DEFAULT_METRICS, faults: []})
  t.strictSame(
    await read(
      '  metrics: {enabled: false, recordErrorCodes: true, latencyDistributionBuckets: [5, 10], http: {increasedCardinality: false, pathMatching: ["/a/{b}"], excludeVerbs: true}}\n'
    ),
    {
      settings: {
        isEnabled: false,
        hasErrorCodes: true,
        latencyBuckets: [5, 10],
        rules: [],
        hasFullPaths: false,
        pathMatching: ['/a/{b}'],
        hasVerbs: false
      },
      faults: []
    }
  )
  t.match((await read('  metric: {enabled: false, recordErrorCodes: true}\n  metrics: {enabled: true}\n')).settings, {
    isEnabled: true,
    hasErrorCodes: true
  })
})

t.test('rules', async t => {
  const {settings, faults} = await read(
    '  metrics:\n    rules:\n    - name: dapr_x\n      labels:\n      - {name: path, regex: {"orders/$1": "orders/(.+)", bad: "(", any: "(?i)x"}}\n'
  )
  t.match(settings.rules, [
    {metric: 'dapr_x', label: 'path'},
    {metric: 'dapr_x', label: 'path'}
  ])
  t.strictSame(
    settings.rules.map(({replace}) => replace('orders/X')),
    ['orders/X', 'orders/any']
  )
  t.match(faults, [/^error 7:63 failed to compile regex for rule spec\.metrics\.rules\[0\]\.labels\[0\]\.regex\.bad/])
})

t.test('what is written wrong', async t => {
  const {settings, faults} = await read('  metrics: {latencyDistributionBuckets: [10, 5, 5], enable: false}\n')
  t.strictSame(settings.latencyBuckets, [5, 10])
  t.match(faults, [/^warning 3:53 unknown key spec\.metrics\.enable/, /^warning 3:41 .* not in order/])
})

t.test('buckets of workflows alone have no effect, and say so', async t => {
  const {faults} = await read('  metrics: {workflow: {latencyDistributionBuckets: [10]}}\n')
  t.match(faults, [/^warning 3:13 unknown key spec\.metrics\.workflow: it has no effect/])
})
