import t from 'tap'
import {Health} from '../../../../src/proxy/gateway/health-check.ts'

/** Checks with these results (`+` or `-`); returns the reported states, with a dot for each interval, and a comma for a shorter one. */
async function followed(results: string, threshold = 3, wasHealthy = false, graceMs = 0): Promise<string> {
  const states: string[] = []
  const {promise, resolve} = Promise.withResolvers<void>()
  let at = 0
  const health = new Health({
    plan: {enabled: true, path: '/healthz', intervalMs: 5000, timeoutMs: 500, threshold},
    port: () => 1,
    check: async () => results[at++] === '+',
    changed: isHealthy => states.push(isHealthy ? 'healthy' : 'unhealthy'),
    wait: async ms => {
      states.push(ms === 5000 ? '.' : ',')
      if (at < results.length) return
      health.end()
      resolve()
    }
  })
  health.begin(wasHealthy, graceMs)
  await promise
  return states.join('')
}

t.test('the first check decides at once', async t => {
  t.equal(await followed('+'), 'healthy.')
  t.equal(await followed('-'), 'unhealthy.')
})

t.test('the first check of a process that was found healthy before it took over does not decide alone', async t => {
  t.equal(await followed('-+', 3, true), 'healthy..')
  t.equal(await followed('---', 3, true), 'healthy..unhealthy.')
  t.equal(await followed('-', 1, true), 'unhealthy.')
})

t.test('while calls wait for a process, only a success decides, and is looked for more often', async t => {
  t.equal(await followed('---+---', 3, false, Infinity), ',,,healthy...unhealthy.')
})

t.test('it takes consecutive failures up to the threshold, and one success', async t => {
  t.equal(await followed('+---+'), 'healthy...unhealthy.healthy.')
  t.equal(await followed('+--+--'), 'healthy......')
  t.equal(await followed('+-+', 1), 'healthy.unhealthy.healthy.')
})

t.test('a result for an app that is not ready any more is not reported', async t => {
  const {promise, resolve} = Promise.withResolvers<boolean>()
  let isReported = false
  const health = new Health({
    plan: {enabled: true, path: '/', intervalMs: 1, timeoutMs: 1, threshold: 1},
    port: () => 1,
    check: async () => promise,
    changed: () => (isReported = true)
  })
  health.begin()
  health.end()
  resolve(true)
  await promise
  await new Promise(setImmediate)
  t.equal(isReported, false)
})
