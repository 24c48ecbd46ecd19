import t from 'tap'
import {serverPorts} from '../../../../src/dapr/components/server-ports.ts'

const portsOf = (type: string, values: Readonly<Record<string, string>>): readonly number[] => {
  const place = {file: 'c.yaml', line: 1, column: 1, source: ''}
  return [
    ...serverPorts(
      type,
      Object.entries(values).map(([name, value]) => ({name, value, place}))
    )
  ]
}

t.test('where a component has its server; without a port it is the usual one of its type', t => {
  t.same(portsOf('state.redis', {redisHost: 'localhost:6380'}), [6380])
  t.same(portsOf('state.redis', {redisHost: 'localhost', redisPort: '6381'}), [6381])
  t.same(portsOf('state.redis', {redisHost: 'localhost'}), [6379])
  t.same(portsOf('state.redis', {redisHost: 'redis.example'}), [])
  t.same(portsOf('state.postgresql', {connectionString: 'host=localhost user=me'}), [5432])
  t.same(portsOf('state.postgresql', {connectionString: 'postgres://me@db.example/shop'}), [])
  t.same(portsOf('bindings.http', {url: 'http://localhost:3000/hook'}), [3000])
  t.same(portsOf('state.in-memory', {}), [])
  t.same(portsOf('state.constructor', {host: 'localhost'}), [])
  t.end()
})
