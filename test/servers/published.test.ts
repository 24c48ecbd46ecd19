import {execFile} from 'node:child_process'
import {chmod} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {promisify} from 'node:util'
import t from 'tap'
import type * as Api from '../../src/model/api.generated.ts'
import {freePort} from '../rig/free-port.ts'
import {postgresCommand, skipWithoutPostgres} from '../rig/postgres.ts'
import {skipWithoutRedis} from '../rig/redis.ts'
import {openRig} from '../rig/rig.ts'

const execute = promisify(execFile)

t.test('Redis and PostgreSQL are called at their ports; each connection is one row', async t => {
  if (skipWithoutRedis !== false || skipWithoutPostgres !== false)
    return void t.pass('without servers', {skip: skipWithoutRedis || skipWithoutPostgres || ''})
  const rig = await openRig(t)
  const [cache, db, inside] = [await freePort(), await freePort(), await freePort()]
  const redis = 'exec redis-server --port $APP_PORT --save "" --bind 127.0.0.1'
  for (const folder of [rig.folder, dirname(rig.folder)]) await chmod(folder, 0o711) // the server of a database is nobody
  const data = join(rig.folder, 'data')
  await rig.template([
    {appID: 'cache', appDirPath: '.', port: cache, command: ['sh', '-c', redis]},
    {appID: 'db', appDirPath: '.', port: db, appPort: inside, command: postgresCommand(data, inside)}
  ])
  rig.pillion(['run', '-f', '.'], {env: {PATH: process.env['PATH'] ?? ''}})
  t.match(await rig.run(['wait', '--for', 'ready']), {code: 0})
  const {stdout: set} = await execute('redis-cli', ['-p', cache.toString(), 'set', 'a', '1'])
  t.equal(set, 'OK\n')
  const at = `host=localhost port=${db} user=postgres sslmode=prefer`
  const {stdout: sum} = await execute('psql', ['-X', '-A', '-t', '-c', 'select 40 + 2', at])
  t.equal(sum, '42\n')
  const {stdout} = await rig.run(['calls', '-o', 'ndjson'])
  const rows = stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Api.Call)
  const of = (to: string): Api.Call | undefined => rows.find(each => each.to === to)
  t.match(of('cache'), {from: 'outside', method: 'TCP', path: `:${cache}`})
  t.match(of('db'), {from: 'outside', method: 'TCP', path: `:${db}`})
  t.ok((of('db')?.responseBytes ?? 0) > 100, 'with its bytes')
})
