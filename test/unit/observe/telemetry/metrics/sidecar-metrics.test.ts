import parse, {type ParsedFamily} from 'parse-prometheus-text-format'
import t from 'tap'
import type {ResiliencyEvent} from '../../../../../src/model/resiliency-event.ts'
import {DEFAULT_METRICS} from '../../../../../src/files/resources/defaults.ts'
import type {MetricsSettings} from '../../../../../src/files/resources/metrics-settings.ts'
import {MAX_SERIES} from '../../../../../src/observe/telemetry/metrics/family.ts'
import {SidecarMetrics} from '../../../../../src/observe/telemetry/metrics/sidecar-metrics.ts'

const open = (settings: Partial<MetricsSettings> = {}): SidecarMetrics =>
  new SidecarMetrics('client', '', {...DEFAULT_METRICS, ...settings})

/** The metrics that Prometheus reads, by name. */
const families = (metrics: SidecarMetrics): ReadonlyMap<string, ParsedFamily> =>
  new Map(parse(metrics.text()).map(each => [each.name, each]))

/** Of a metric the values by their labels; of a histogram ask for `_bucket`, `_count` or `_sum`. */
const values = (metrics: SidecarMetrics, name: string): Record<string, string> => {
  // the parser knows one series alone of a histogram, so its lines are read as metrics by themselves
  const plain = metrics.text().replaceAll(/^# (?:TYPE .* histogram|HELP .*)\n/gm, '')
  const found = parse(plain).filter(each => each.name === name)
  return Object.fromEntries(
    found
      .flatMap(({metrics: read}) => read)
      .map(({labels = {}, value = ''}) => [
        Object.entries(labels)
          .map(([label, text]) => `${label}=${text}`)
          .join(' '),
        value
      ])
  )
}

const CALL = {
  verb: 'GET',
  path: '/v1.0/invoke/b/method/m',
  status: 200,
  requestBytes: 5,
  responseBytes: 2000,
  elapsedMs: 3.5
}

t.test('HTTP at the API and towards the app', async t => {
  const metrics = open()
  metrics.http.served(CALL)
  metrics.http.served(CALL)
  metrics.http.served({...CALL, status: 500, verb: 'FOO'})
  metrics.http.sent({...CALL, path: '/m'})
  metrics.http.probed(200, 1)
  const ok = 'app_id=client method=GET path=/v1.0/invoke/b/method/m status=200'
  const bad = 'app_id=client method=UNKNOWN path=/v1.0/invoke/b/method/m status=500'
  for (const name of ['request_count', 'response_count', 'latency_count'])
    t.strictSame(values(metrics, `dapr_http_server_${name}`), {[ok]: '2', [bad]: '1'}, name)
  t.strictSame(values(metrics, 'dapr_http_server_latency_sum'), {[ok]: '7', [bad]: '3.5'})
  t.match(values(metrics, 'dapr_http_server_latency_bucket'), {
    [`${ok} le=3`]: '0',
    [`${ok} le=4`]: '2',
    [`${ok} le=+Inf`]: '2'
  })
  t.equal(families(metrics).get('dapr_http_server_response_bytes')?.type, 'HISTOGRAM')
  t.match(values(metrics, 'dapr_http_server_response_bytes_bucket'), {
    'app_id=client le=1024': '0',
    'app_id=client le=2048': '3',
    'app_id=client le=4294967296': '3'
  })
  t.strictSame(values(metrics, 'dapr_http_server_response_bytes_sum'), {'app_id=client': '6000'})
  t.equal(families(metrics).get('dapr_http_server_request_count')?.type, 'COUNTER')
  const app = 'app_id=client method=GET path=/m status=200'
  t.strictSame(values(metrics, 'dapr_http_client_completed_count'), {[app]: '1'})
  t.strictSame(values(metrics, 'dapr_http_client_roundtrip_latency_count'), {[app]: '1'})
  t.strictSame(values(metrics, 'dapr_http_client_sent_bytes_count'), {'app_id=client method=GET path=/m status=': '1'})
  t.strictSame(values(metrics, 'dapr_http_client_received_bytes_count'), {'app_id=client': '1'})
  t.strictSame(values(metrics, 'dapr_http_healthprobes_completed_count'), {'app_id=client status=200': '1'})
})

t.test('what the settings leave out', async t => {
  const metrics = open({hasFullPaths: false, hasVerbs: false})
  metrics.http.served(CALL)
  t.strictSame(values(metrics, 'dapr_http_server_request_count'), {'app_id=client method= path= status=200': '1'})
  t.equal(families(metrics).get('dapr_http_server_response_count'), undefined)
  metrics.failed('ERR_DIRECT_INVOKE', 'service-invocation')
  t.equal(families(metrics).get('dapr_error_code_total'), undefined)

  const other = open({hasErrorCodes: true, latencyBuckets: [10, 20]})
  other.failed('ERR_DIRECT_INVOKE', 'service-invocation')
  t.strictSame(values(other, 'dapr_error_code_total'), {
    'app_id=client category=service-invocation error_code=ERR_DIRECT_INVOKE': '1'
  })
  other.http.served(CALL)
  t.strictSame(Object.keys(families(other).get('dapr_http_server_latency')?.metrics[0]?.buckets ?? {}), [
    '10',
    '20',
    '+Inf'
  ])
})

t.test('rules change labels', async t => {
  const metrics = open({
    rules: [
      {
        metric: 'http_server_request_count',
        label: 'path',
        regex: 'method/.+',
        template: 'method/X',
        replace: path => path.replace(/method\/.+/, 'method/X')
      }
    ]
  })
  for (const path of ['a', 'b', 'c']) metrics.http.served({...CALL, path: `/v1.0/invoke/b/method/${path}`})
  t.strictSame(values(metrics, 'dapr_http_server_request_count'), {
    'app_id=client method=GET path=/v1.0/invoke/b/method/X status=200': '3'
  })
  t.equal(Object.keys(values(metrics, 'dapr_http_server_response_count')).length, 3)
})

t.test('a flood of paths has an end, and nothing is lost from the counts', async t => {
  const metrics = open()
  for (let n = 0; n < 10_000; n++) metrics.http.served({...CALL, path: `/v1.0/invoke/b/method/${n}`})
  const counts = Object.values(values(metrics, 'dapr_http_server_request_count'))
  t.equal(counts.length, MAX_SERIES + 1)
  t.equal(
    counts.reduce((sum, count) => sum + Number(count), 0),
    10_000
  )
})

const name = (rest: string): string => `dapr_runtime_service_invocation_${rest}`

t.test('calls between sidecars', async t => {
  const metrics = open()
  metrics.invocation.called('b', 200, 12, 'unary')
  metrics.invocation.called('b', 500, 12, 'unary')
  metrics.invocation.called('b', 0, 12, 'streaming')
  metrics.invocation.answered('a', 404)
  t.strictSame(values(metrics, name('req_sent_total')), {
    'app_id=client dst_app_id=b type=streaming': '1',
    'app_id=client dst_app_id=b type=unary': '2'
  })
  t.strictSame(values(metrics, name('res_recv_total')), {
    'app_id=client src_app_id=b status=0 type=streaming': '1',
    'app_id=client src_app_id=b status=200 type=unary': '1',
    'app_id=client src_app_id=b status=500 type=unary': '1'
  })
  t.strictSame(values(metrics, name('res_recv_latency_ms_count')), {
    'app_id=client src_app_id=b status=200': '1',
    'app_id=client src_app_id=b status=500': '1'
  })
  t.strictSame(values(metrics, name('req_recv_total')), {'app_id=client src_app_id=a': '1'})
  t.strictSame(values(metrics, name('res_sent_total')), {'app_id=client dst_app_id=a status=404': '1'})
})

t.test('access control', async t => {
  const metrics = open()
  const caller = {appId: 'a', trustDomain: 'public', namespace: 'default'}
  metrics.invocation.decided({by: 'app', isAllowed: false, rule: ''}, caller)
  metrics.invocation.decided({by: 'global', isAllowed: true, rule: ''}, caller)
  const labels = 'app_id=a namespace=default trustDomain=public'
  t.strictSame(values(metrics, 'dapr_runtime_acl_app_policy_action_blocked_total'), {[labels]: '1'})
  t.strictSame(values(metrics, 'dapr_runtime_acl_global_policy_action_allowed_total'), {[labels]: '1'})
})

// The values of Dapr's integration tests resiliency/apps/defaultcircuitbreaker and metrics/resiliencycbstate.
t.test('resiliency', async t => {
  const metrics = open()
  metrics.resiliency.loaded([{name: 'myresiliency', namespace: ''}])
  const endpoint = {target: 'server', key: 'server:m'}
  const record = (...events: ResiliencyEvent[]): void => {
    for (const event of events) metrics.resiliency.record(event)
  }
  const applied = (state: 'closed' | 'open'): ResiliencyEvent => ({
    type: 'applied',
    endpoint,
    policy: 'circuitbreaker',
    state
  })
  const base = 'app_id=client flow_direction=outbound name=myresiliency namespace='
  const breaker = (state: string): string => `${base} policy=circuitbreaker status=${state} target=app_server`
  const states = (): Record<string, string> => values(metrics, 'dapr_resiliency_cb_state')

  record(applied('closed'), applied('closed'), applied('closed'), applied('closed'))
  t.strictSame(values(metrics, 'dapr_resiliency_count'), {[breaker('closed')]: '4'})
  t.strictSame(states(), {
    [breaker('closed')]: '1',
    [breaker('half-open')]: '0',
    [breaker('open')]: '0',
    [breaker('unknown')]: '0'
  })
  record({type: 'breaker-changed', endpoint, from: 'closed', to: 'open', openForMs: 1})
  t.match(states(), {[breaker('closed')]: '0', [breaker('open')]: '1'})
  record({type: 'breaker-changed', endpoint, from: 'open', to: 'half-open', openForMs: 0})
  t.match(states(), {[breaker('open')]: '0', [breaker('half-open')]: '1'})
  record({type: 'breaker-changed', endpoint, from: 'half-open', to: 'closed', openForMs: 0})
  t.strictSame(values(metrics, 'dapr_resiliency_activations_total'), {[breaker('closed')]: '1', [breaker('open')]: '1'})

  const retry = {type: 'retrying', endpoint, policy: 'again', cause: 500, maxRetries: 3, delayMs: 1} as const
  record({...retry, retry: 1}, {...retry, retry: 2}, {...retry, retry: 1, endpoint: {target: '', key: 'built-in'}})
  const timedOut = {type: 'timed-out', endpoint, timeoutMs: 1} as const
  record({...timedOut, attempt: 1, isFirst: true}, {...timedOut, attempt: 2, isFirst: false})
  t.match(values(metrics, 'dapr_resiliency_activations_total'), {
    [`${base} policy=retry status= target=app_server`]: '1',
    [`${base} policy=timeout status= target=app_server`]: '1'
  })
  t.strictSame(values(metrics, 'dapr_resiliency_loaded'), {'app_id=client name=myresiliency namespace=': '1'})
})

t.test('our own process, and nothing of Go', async t => {
  const metrics = open()
  const names = parse(metrics.text()).map(({name}) => name)
  t.ok(names.includes('process_resident_memory_bytes'))
  t.strictSame(
    names.filter(name => !name.startsWith('process_')),
    [],
    'no metric of a call before the first call'
  )
  t.ok(Number(Object.values(values(metrics, 'process_resident_memory_bytes'))[0]) > 1e7)
})
