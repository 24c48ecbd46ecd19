import t from 'tap'
import {otelVariables, saysWhereToSend} from '../../../src/supervisor/otel-variables.ts'

t.test('an app is told where to send, how, as whom, and to keep every span', async t => {
  t.strictSame(otelVariables({}, 'shop', 4711), {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4711',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_SERVICE_NAME: 'shop',
    OTEL_TRACES_SAMPLER: 'always_on',
    OTEL_BSP_SCHEDULE_DELAY: '500',
    OTEL_BLRP_SCHEDULE_DELAY: '500',
    OTEL_RESOURCE_ATTRIBUTES: 'pillion.app=shop'
  })
})

t.test('what the environment says itself stays; the attributes of the resource get one more', async t => {
  const told = otelVariables(
    {OTEL_SERVICE_NAME: 'mine', OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_RESOURCE_ATTRIBUTES: 'team=a'},
    'my shop',
    4711
  )
  t.equal(told['OTEL_SERVICE_NAME'], undefined)
  t.equal(told['OTEL_TRACES_SAMPLER'], undefined)
  t.equal(told['OTEL_RESOURCE_ATTRIBUTES'], 'team=a,pillion.app=my%20shop')
})

t.test('an environment that says where to send, or that the SDK is off, is left alone', async t => {
  for (const [name, value] of [
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://collector:4318'],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'http://collector:4318/v1/traces'],
    ['OTEL_EXPORTER_ZIPKIN_ENDPOINT', 'http://zipkin:9411'],
    ['OTEL_TRACES_EXPORTER', 'console'],
    ['OTEL_CONFIG_FILE', 'otel.yaml'],
    ['OTEL_SDK_DISABLED', 'TRUE']
  ] as const)
    t.ok(saysWhereToSend({[name]: value}), name)
  for (const [name, value] of [
    ['OTEL_EXPORTER_OTLP_ENDPOINT', ''],
    ['OTEL_EXPORTER_OTLP_COMPRESSION', 'gzip'],
    ['OTEL_TRACES_EXPORTER', 'otlp'],
    ['OTEL_METRICS_EXPORTER', 'none'],
    ['OTEL_SDK_DISABLED', 'false']
  ] as const)
    t.notOk(saysWhereToSend({[name]: value}), name)
})
