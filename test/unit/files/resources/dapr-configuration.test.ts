import t from 'tap'
import {DEFAULT_CONFIGURATION} from '../../../../src/files/resources/defaults.ts'
import {readConfiguration} from '../../../../src/files/resources/read-configuration.ts'
import {parseResourceFile} from '../../../../src/files/resources/resource-file.ts'
import {findUnreadKeys} from '../../../../src/files/resources/without-effect.ts'
import {CONFIGURATION_FILE} from '../../../../src/files/yaml/other-dialects.ts'

t.test('a Configuration with all its parts', async t => {
  const text = `kind: Configuration
spec:
  metrics: {recordErrorCodes: true}
  tracing: {samplingRate: "1"}
  accessControl: {defaultAction: deny}
  logging: {apiLogging: {obfuscateURLs: true, omitHealthChecks: true}}
`
  const file = parseResourceFile({file: 'config.yaml', text})
  t.match(await readConfiguration(file), {
    accessControl: {defaultAction: 'deny'},
    metrics: {hasErrorCodes: true},
    tracing: {samplingRate: '1'},
    apiLogging: {obfuscatesUrls: true, omitsHealthChecks: true}
  })
  t.strictSame(file.faults, [])
})

t.test('keys that differ from those of Dapr in capitals have no effect, and are named', async t => {
  const text = 'spec:\n  mtls: {Enabled: true, workloadCertTTL: 24h}\n  features: [{Name: HotReload, enabled: false}]\n'
  const file = parseResourceFile({file: 'config.yaml', text}, undefined, CONFIGURATION_FILE)
  t.strictSame((await readConfiguration(file))?.unenforced, [])
  t.strictSame(findUnreadKeys(file), [])
  t.strictSame(
    file.faults.map(({message, hint}) => `${message}: ${hint}`),
    [
      'unknown key spec.mtls.Enabled: it has no effect: did you mean enabled?',
      'unknown key spec.features[0].Name: it has no effect: did you mean name?'
    ]
  )
})

t.test('one that says nothing', async t => {
  for (const text of ['', 'kind: Configuration\n', 'kind: Configuration\nspec:\n'])
    t.strictSame(await readConfiguration(parseResourceFile({file: 'config.yaml', text})), DEFAULT_CONFIGURATION, text)
})

t.test('one with an error in any part cannot be used', async t => {
  for (const text of ['spec: {tracing: {otel: {timeout: soon}}}\n', 'spec: {metrics: {enabled: 1}}\n', 'spec: [\n']) {
    const file = parseResourceFile({file: 'config.yaml', text})
    t.equal(await readConfiguration(file), undefined, text)
    t.ok(file.faults.length > 0)
  }
})
