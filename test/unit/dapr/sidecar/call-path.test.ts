import t from 'tap'
import {parseResourceFile} from '../../../../src/files/resources/resource-file.ts'
import {readMetricsSettings} from '../../../../src/files/resources/metrics-settings.ts'
import {OpenResources, type ResourceSnapshot} from '../../../../src/files/resources/app-resources.ts'
import {DEFAULT_METRICS, NO_RESILIENCY, NO_RESOURCES} from '../../../../src/files/resources/defaults.ts'
import {SidecarMetering} from '../../../../src/dapr/sidecar/call-path.ts'
import {aCall, aRecord, aRequest} from '../../../rig/made-call.ts'

const app = {id: 'shop', resources: {folders: [], configFile: '', defaultFolder: ''}}

const withResources = (snapshot: ResourceSnapshot): OpenResources =>
  new OpenResources(app, snapshot, {warn: () => undefined, closed: () => undefined})

const record = aRecord({
  call: aCall({path: '/items'}),
  request: {...aRequest(), method: 'GET', path: '/v1.0/invoke/stock/method/items', lines: ''},
  startedAt: 1,
  admittedAt: 1,
  connectedAt: 1,
  firstByteAt: 2,
  endedAt: 3,
  responseBytes: 5
})

const valueOf = async (metering: SidecarMetering, name: string): Promise<string | undefined> =>
  new RegExp(`^${name}\\{.*\\} (\\S+)$`, 'm').exec((await metering.text(async () => Promise.resolve([]))) ?? '')?.[1]

t.test('calls count from the first one, also those that are over before the code is loaded', async t => {
  const metering = new SidecarMetering('shop', '', withResources(NO_RESOURCES))
  metering.served(record)
  metering.served(record)
  metering.count(calls => calls.sent(record))
  metering.count(calls => calls.probed(200, 1))
  t.equal(await valueOf(metering, 'dapr_http_server_request_count'), '2')
  metering.served(record)
  t.equal(await valueOf(metering, 'dapr_http_server_request_count'), '3')
  t.equal(await valueOf(metering, 'dapr_http_client_completed_count'), '1')
  t.equal(await valueOf(metering, 'dapr_http_healthprobes_completed_count'), '1')
})

t.test('new settings count anew, also while the code is loaded; nothing is counted without metrics', async t => {
  const resources = withResources(NO_RESOURCES)
  const metering = new SidecarMetering('shop', '', resources)
  const change = (metrics: object): void =>
    resources.change({
      ...NO_RESOURCES,
      resiliency: {...NO_RESILIENCY, resources: [{name: 'main', namespace: ''}]},
      configuration: {...NO_RESOURCES.configuration, metrics: {...DEFAULT_METRICS, ...metrics}}
    })
  metering.served(record)
  change({hasVerbs: false})
  metering.served(record)
  t.equal(await valueOf(metering, 'dapr_http_server_request_count'), '1')
  t.equal(await valueOf(metering, 'dapr_resiliency_loaded'), '1')
  change({isEnabled: false})
  metering.served(record)
  t.equal(await metering.text(async () => Promise.resolve([])), undefined)
  change({})
  t.equal(await valueOf(metering, 'dapr_http_server_request_count'), undefined)
  metering.close()
})

t.test('rules that are read again are the same, unless their expression or what it becomes is another', async t => {
  const read = async (template: string): Promise<ResourceSnapshot> => {
    const text = `spec: {metrics: {rules: [{name: dapr_x, labels: [{name: path, regex: {${template}: items}}]}]}}`
    const spec = parseResourceFile({file: 'config.yaml', text}).documents[0]?.field('spec')
    const metrics = spec === undefined ? DEFAULT_METRICS : await readMetricsSettings(spec)
    t.equal(metrics.rules.length, 1)
    return {...NO_RESOURCES, configuration: {...NO_RESOURCES.configuration, metrics}}
  }
  const resources = withResources(await read('goods'))
  const metering = new SidecarMetering('shop', '', resources)
  metering.served(record)
  resources.change(await read('goods'))
  t.equal(await valueOf(metering, 'dapr_http_server_request_count'), '1')
  resources.change(await read('wares'))
  t.equal(await valueOf(metering, 'dapr_http_server_request_count'), undefined)
  metering.close()
})

t.test('an edit of another part of the Configuration takes nothing from what was counted', async t => {
  const resources = withResources(NO_RESOURCES)
  const metering = new SidecarMetering('shop', '', resources)
  metering.served(record)
  const {configuration} = NO_RESOURCES
  resources.change({
    ...NO_RESOURCES,
    configuration: {...configuration, metrics: {...DEFAULT_METRICS}, secretScopes: [], fault: 'another one'}
  })
  metering.served(record)
  t.equal(await valueOf(metering, 'dapr_http_server_request_count'), '2')
  metering.close()
})

t.test('the counts of actors are zero once the app hosts none any more', async t => {
  const metering = new SidecarMetering('shop', '', withResources(NO_RESOURCES))
  const cart = {actor: 'Cart', pending: 3, timers: 2, reminders: 1}
  t.match(await metering.text(async () => Promise.resolve([cart])), /^dapr_runtime_actor_timers\{.*\} 2$/m)
  t.equal(await valueOf(metering, 'dapr_runtime_actor_pending_actor_calls'), '0')
  t.equal(await valueOf(metering, 'dapr_runtime_actor_timers'), '0')
  t.equal(await valueOf(metering, 'dapr_runtime_actor_reminders'), '0')
})

const withPolicies = (...names: readonly string[]): ResourceSnapshot => ({
  ...NO_RESOURCES,
  resiliency: {...NO_RESILIENCY, resources: names.map(name => ({name, namespace: ''}))}
})

t.test('a circuit breaker counts as closed once other policies have taken the place of its own', async t => {
  const resources = withResources(withPolicies('main'))
  const metering = new SidecarMetering('shop', '', resources)
  const states = async (): Promise<readonly string[]> =>
    [
      ...((await metering.text(async () => Promise.resolve([]))) ?? '').matchAll(
        /^dapr_resiliency_cb_state\{.*status="([^"]*)".*\} 1$/gm
      )
    ].map(([, state = '']) => state)
  const endpoint = {target: 'stock', key: 'stock:items'}
  metering.count(({resiliency}) =>
    resiliency.record({type: 'breaker-changed', from: 'closed', to: 'open', openForMs: 60_000, endpoint})
  )
  t.same(await states(), ['open'])
  for (const names of [['other'], []]) {
    resources.change(withPolicies(...names))
    t.same(await states(), ['closed'])
  }
  metering.close()
})
