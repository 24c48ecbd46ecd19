import t from 'tap'
import {factsOf} from '../../../../src/dapr/sidecar/facts.ts'
import type {SidecarBlocks} from '../../../../src/dapr/sidecar/sidecar-blocks.ts'
import type {ResourceSnapshot} from '../../../../src/files/resources/app-resources.ts'
import type {Plan} from '../../../../src/model/plan.ts'
import type {AppRuntime} from '../../../../src/supervisor/app-runtime.ts'
import {componentResource} from '../../../rig/component-resource.ts'

const health = {enabled: true, path: '/healthz', intervalMs: 90_000, timeoutMs: 1500, threshold: 3}
const runtime = {
  appPort: 1,
  plan: {channel: {protocol: 'http', address: '', maxConcurrency: 0}, health},
  listing: () => ({command: '', pid: 0, grpcPort: 0})
} as unknown as AppRuntime
const NONE = {endpoints: [], accessPolicies: [], mcpServers: [], components: [], resiliency: {resources: []}}

t.test('the durations of a health check are written as Go writes them', async t => {
  const snapshot = NONE as unknown as ResourceSnapshot
  const facts = factsOf(runtime, {file: ''} as Plan, snapshot, {} as SidecarBlocks, [])
  t.match(facts.connection.health, {healthProbeInterval: '1m30s', healthProbeTimeout: '1.5s'})
})

t.test('a component whose file was edited, and cannot be opened now, is listed as it is in effect', async t => {
  const [before, now] = ['state.in-memory', 'state.redis'].map(type => componentResource('store', type, {}))
  const blocks = {
    inEffect: () => before,
    isMissing: () => false,
    isByDaprd: () => false,
    capabilitiesOf: () => []
  } as unknown as SidecarBlocks
  const snapshot = {...NONE, components: [now]} as unknown as ResourceSnapshot
  t.match(factsOf(runtime, {file: ''} as Plan, snapshot, blocks, []).components, [{type: 'state.in-memory'}])
})

t.test('a component of a name that another one has is not that one a second time', async t => {
  const [first, second] = ['state.in-memory', 'state.redis'].map(type => componentResource('store', type, {}))
  const blocks = {
    inEffect: () => first,
    isMissing: () => false,
    isByDaprd: () => false,
    capabilitiesOf: () => []
  } as unknown as SidecarBlocks
  const snapshot = {...NONE, components: [first, second]} as unknown as ResourceSnapshot
  const {components} = factsOf(runtime, {file: ''} as Plan, snapshot, blocks, [])
  t.strictSame(
    components.map(({type}) => type),
    ['state.in-memory']
  )
})
