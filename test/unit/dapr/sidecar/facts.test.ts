import t from 'tap'
import {factsOf} from '../../../../src/dapr/sidecar/facts.ts'
import type {SidecarBlocks} from '../../../../src/dapr/sidecar/sidecar-blocks.ts'
import type {ResourceSnapshot} from '../../../../src/files/resources/app-resources.ts'
import type {Plan} from '../../../../src/model/plan.ts'
import type {AppRuntime} from '../../../../src/supervisor/app-runtime.ts'

t.test('the durations of a health check are written as Go writes them', t => {
  const health = {enabled: true, path: '/healthz', intervalMs: 90_000, timeoutMs: 1500, threshold: 3}
  const runtime = {
    appPort: 1,
    plan: {channel: {protocol: 'http', address: '', maxConcurrency: 0}, health},
    listing: () => ({command: '', pid: 0, grpcPort: 0})
  } as unknown as AppRuntime
  const none = {endpoints: [], accessPolicies: [], mcpServers: [], components: [], resiliency: {resources: []}}
  const snapshot = none as unknown as ResourceSnapshot
  const facts = factsOf(runtime, {file: ''} as Plan, snapshot, {} as SidecarBlocks, [])
  t.match(facts.connection.health, {healthProbeInterval: '1m30s', healthProbeTimeout: '1.5s'})
  t.end()
})
