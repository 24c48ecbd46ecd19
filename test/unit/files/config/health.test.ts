import t from 'tap'
import {failure, load, orders} from './shop.ts'

t.test('a probe that may take longer than the interval between two is refused in the words of the sidecar', async t => {
  const lines = ['enableAppHealthCheck: true', 'appHealthProbeInterval: 1', 'appHealthProbeTimeout: 1001']
  const {message, explanation} = failure(t, orders(...lines))
  t.match(message, /app health checks probe timeouts must be smaller than probe intervals$/)
  t.match(explanation, 'appHealthProbeTimeout: 1001')
  t.match(load(t, orders(...lines.slice(1))).plan.apps[0]?.health, {enabled: false}, 'unless nobody probes')
})

t.test('numbers that make no sense count as not said', async t => {
  const lines = ['enableAppHealthCheck: true', 'appHealthProbeInterval: 0', 'appHealthThreshold: -1']
  t.same(load(t, orders(...lines)).plan.apps[0]?.health, {
    enabled: true,
    path: '/healthz',
    intervalMs: 5000,
    timeoutMs: 500,
    threshold: 3
  })
})
