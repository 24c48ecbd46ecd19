import t from 'tap'
import {parseResourceFile} from '../../../../src/files/resources/resource-file.ts'
import {DEFAULT_TRACING} from '../../../../src/files/resources/defaults.ts'
import {readTracingSettings, withOtelVariables} from '../../../../src/files/resources/read-tracing-settings.ts'
import type {TracingSettings} from '../../../../src/files/resources/tracing-settings.ts'

const read = (spec: string): {settings: TracingSettings; faults: string[]} => {
  const {documents, faults} = parseResourceFile({file: 'config.yaml', text: `kind: Configuration\nspec:\n${spec}`})
  const field = documents[0]?.field('spec')
  if (field === undefined) throw new Error('not read')
  const settings = readTracingSettings(field)
  const texts = faults.map(({severity, place, message}) => `${severity} ${place.line}:${place.column} ${message}`)
  return {settings, faults: texts}
}

t.test('settings as written', async t => {
  t.strictSame(read('  metrics: {}\n'), {settings: DEFAULT_TRACING, faults: []})
  t.strictSame(
    read(
      '  tracing: {samplingRate: 0.5, stdout: true, zipkin: {endpointAddress: "http://z:9411/api/v2/spans"}, otel: {endpointAddress: "c:4317", protocol: grpc, isSecure: false, headers: ["a=b=c", d = e], timeout: 2s}}\n'
    ),
    {
      settings: {
        samplingRate: '0.5',
        isLogged: true,
        zipkinUrl: 'http://z:9411/api/v2/spans',
        otlp: {endpoint: 'c:4317', protocol: 'grpc', isSecure: false, headers: {a: 'b=c', d: 'e'}, timeoutMs: 2000}
      },
      faults: []
    }
  )
  t.match(read('  tracing: {otel: {endpointAddress: c, protocol: http}}\n').settings.otlp, {
    isSecure: true,
    headers: {},
    timeoutMs: 0
  })
})

t.test('what is written wrong', async t => {
  const table: readonly (readonly [string, RegExp])[] = [
    ['{samplingRate: often}', /^warning 3:27 samplingRate often is not a share/],
    ['{samplingRate: 2}', /^warning 3:27 samplingRate 2 is not a share/],
    ['{zipkin: {endpointAddress: "localhost:9411"}}', /^error 3:39 spec\.tracing\.zipkin\.endpointAddress is no URL/],
    ['{otel: {endpointAddress: c, protocol: udp}}', /^error 3:50 invalid protocol udp provided for Otel endpoint/],
    [
      '{otel: {endpointAddress: "c:${PORT}", protocol: http}}',
      /^error 3:37 spec\.tracing\.otel\.endpointAddress is no address/
    ],
    ['{otel: {endpointAddress: c}}', /^warning 3:19 otel has no protocol: no spans are sent/],
    ['{otel: {headers: [x]}}', /^warning 3:30 .*headers\[0\] has no effect/],
    ['{otel: {timeout: soon}}', /^error 3:29 .*timeout: time: invalid duration "soon"/],
    ['{sampling: 1}', /^warning 3:13 unknown key spec\.tracing\.sampling/]
  ]
  for (const [spec, fault] of table) t.match(read(`  tracing: ${spec}\n`).faults, [fault], spec)
})

t.test("OpenTelemetry's variables", async t => {
  const none = {headers: {}, timeoutMs: 0, isSecure: true}
  const table: readonly (readonly [Record<string, string>, Partial<TracingSettings>])[] = [
    [{}, DEFAULT_TRACING],
    [{OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json'}, DEFAULT_TRACING],
    [
      {OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4317'},
      {samplingRate: '1', otlp: {...none, endpoint: 'c:4317', protocol: 'grpc'}}
    ],
    [
      {
        OTEL_EXPORTER_OTLP_ENDPOINT: 'c:1',
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://t:2',
        OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf',
        OTEL_EXPORTER_OTLP_INSECURE: 'true',
        OTEL_EXPORTER_OTLP_HEADERS: 'a=b,c=d',
        OTEL_EXPORTER_OTLP_TIMEOUT: '1500'
      },
      {otlp: {endpoint: 't:2', protocol: 'http', isSecure: false, headers: {a: 'b', c: 'd'}, timeoutMs: 1500}}
    ]
  ]
  for (const [env, expected] of table) t.match(withOtelVariables(DEFAULT_TRACING, env), expected)
  const {settings} = read('  tracing: {samplingRate: "0.1", otel: {endpointAddress: c, protocol: http}}\n')
  t.strictSame(withOtelVariables(settings, {OTEL_EXPORTER_OTLP_ENDPOINT: 'other'}), settings, 'the file wins')
  t.equal(
    withOtelVariables({...DEFAULT_TRACING, samplingRate: '0.1'}, {OTEL_EXPORTER_OTLP_ENDPOINT: 'c'}).samplingRate,
    '0.1'
  )
})
