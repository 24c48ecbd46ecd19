import {execFileSync} from 'node:child_process'
import t from 'tap'

const place = (path: string): string => JSON.stringify(new URL(`../../../../src/${path}`, import.meta.url))

t.test('where no file can be opened, an app of gRPC is not healthy, and nothing ends', async t => {
  const code = `
    import {openSync} from 'node:fs'
    const {healthOf} = await import(${place('proxy/gateway/health-check.ts')})
    const plan = {
      health: {enabled: true, path: '', intervalMs: 1, timeoutMs: 100, threshold: 1},
      channel: {protocol: 'grpc'}
    }
    const changed = isHealthy => console.log(isHealthy)
    const statuses = []
    const probed = status => statuses.push(status) === 2 && health.end()
    const health = healthOf(plan, {hosts: ['127.0.0.1'], port: () => 1, probed, changed})
    try {
      for (;;) openSync('/dev/null')
    } catch {}
    health.begin()
    process.on('exit', () => console.log(...statuses))`
  const limited = ['-c', 'ulimit -n 64; exec "$@"', 'sh', process.execPath, '--input-type=module', '-e', code]
  t.equal(execFileSync('sh', limited, {encoding: 'utf8', timeout: 20_000}), 'false\n0 0\n')
})
