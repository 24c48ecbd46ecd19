import {spawnSync} from 'node:child_process'
import {once} from 'node:events'
import {existsSync} from 'node:fs'
import {mkdir} from 'node:fs/promises'
import {createServer} from 'node:net'
import {join} from 'node:path'
import t from 'tap'
import {openKeyFile} from '../../src/packages/redis/storage/stored-keys.ts'
import {freePort} from '../rig/free-port.ts'
import {skipWithoutRedis} from '../rig/redis.ts'
import {component} from '../rig/resource-files.ts'
import {respClient} from '../rig/resp.ts'
import {openRig} from '../rig/rig.ts'
import {SMALL_DISK, skipWithoutSmallDisk} from '../rig/small-disk.ts'

t.test('redis runs alone, keeps its keys, and ends cleanly', async t => {
  const rig = await openRig(t)
  const port = (await freePort()).toString()
  const file = join(rig.home, `.local/state/pillion/redis-${port}.db`)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const redis = rig.pillion(['redis', port])
    await redis.stdout.line(/Redis listens/)
    const client = await respClient(Number(port))
    t.match(await client.call('INCR', 'starts'), signal === 'SIGINT' ? ':1' : ':2')
    redis.signal(signal)
    t.match(await redis.exited, {code: 0})
    t.same(redis.stdout.lines, [`ℹ️  Redis listens on localhost:${port}; its keys are kept in ${file}`])
    t.same(redis.stderr.lines, [])
    client.close()
  }
  t.ok(existsSync(file))
})

t.test('PILLION_REDIS=memory keeps nothing; XDG_STATE_HOME is where keys are kept', async t => {
  const rig = await openRig(t)
  const port = (await freePort()).toString()
  const memory = rig.pillion(['redis', port], {env: {PILLION_REDIS: 'memory'}})
  t.match(await memory.stdout.line(/Redis listens/), `localhost:${port}; its keys are kept in memory only`)
  await memory.end('SIGINT')
  t.notOk(existsSync(join(rig.home, '.local')))
  const state = rig.pillion(['redis', port], {env: {XDG_STATE_HOME: join(rig.home, 'state')}})
  t.match(await state.stdout.line(/Redis listens/), join(rig.home, `state/pillion/redis-${port}.db`))
  await state.end('SIGINT')
  t.match(await rig.run(['redis', port], {env: {PILLION_REDIS: 'on'}}), {
    code: 1,
    stderr: '❌  PILLION_REDIS is "on": it can be "memory" (keep no keys) or "off" (no built-in Redis)\n'
  })
})

t.test('a Redis of the template that was left out gets its port when it starts, and components find it', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  await rig.write({'resources/store.yaml': component('store', 'state.redis', {redisHost: `localhost:${port}`})})
  await rig.template([
    {appID: 'shop', resourcesPath: '../resources'},
    {appID: 'cache', profiles: ['infra'], ready: {tcp: port}}
  ])
  const run = rig.pillion(['up'])
  const shop = await rig.driven('shop')
  await run.waitForLine(`No Redis at localhost:${port}: Pillion serves one`, {stream: 'stderr'})
  const save = {method: 'POST', body: '[{"key": "a", "value": 1}]', headers: {'content-type': 'application/json'}}
  t.match(await shop.fetch('/v1.0/state/store', save), {status: 204})
  const starting = rig.run(['start', 'cache'])
  const cache = await rig.driven('cache')
  t.equal(await cache.listen({port}), port, 'nothing of the run listens there any more')
  t.match(await starting, {code: 0})
})

t.test('keys whose file another process has open are in memory, which one sentence says', async t => {
  const rig = await openRig(t)
  const port = (await freePort()).toString()
  const file = join(rig.home, `.local/state/pillion/redis-${port}.db`)
  const held = openKeyFile(file)
  t.teardown(() => held.close())
  await rig.write({'resources/store.yaml': component('store', 'state.redis', {redisHost: `localhost:${port}`})})
  await rig.template([{appID: 'shop', resourcesPath: '../resources'}])
  const run = rig.pillion(['run', '-f', '.'])
  await rig.driven('shop')
  const told = [...run.stdout.lines, ...run.stderr.lines].filter(line => line.includes('edis'))
  t.equal(told.length, 1, told.join('\n'))
  t.match(
    told[0],
    `No Redis at localhost:${port}: Pillion serves one (keys in memory only: another process has ${file} open)`
  )
})

t.test('a port that is taken, or none, is an error that says so', async t => {
  const rig = await openRig(t)
  const holder = createServer().listen(0, '127.0.0.1')
  await once(holder, 'listening')
  const address = holder.address()
  const port = typeof address === 'object' && address !== null ? address.port.toString() : ''
  const taken = await rig.run(['redis', port])
  t.equal(taken.code, 1)
  t.match(taken.stderr, `❌  Redis cannot listen on port ${port}: another process listens there\n`)
  t.match(taken.stderr, `Port ${port} is held by pid ${process.pid}`)
  t.match(await rig.run(['redis', '--off', port]), {
    code: 0,
    stdout: new RegExp(`^ℹ️ {2}No run holds port ${port}: pid ${process.pid} does`)
  })
  holder.close()
  for (const word of ['0', '65536', 'x']) t.match(await rig.run(['redis', word]), {code: 255, stderr: /invalid port/})
})

t.test('killed with -9 and started again, it has its keys', async t => {
  const rig = await openRig(t)
  const port = (await freePort()).toString()
  const first = rig.pillion(['redis', port])
  await first.stdout.line(/Redis listens/)
  const client = await respClient(Number(port))
  await client.call('SET', 'a', '1')
  await first.end()
  const second = rig.pillion(['redis', port])
  await second.stdout.line(/Redis listens/)
  await second.end('SIGKILL')
  const third = rig.pillion(['redis', port])
  await third.stdout.line(/Redis listens/)
  const again = await respClient(Number(port))
  t.equal(await again.call('GET', 'a'), '"1"')
  t.match(await third.end('SIGINT'), {code: 0})
  t.same(third.stderr.lines, [])
  client.close()
  again.close()
})

t.test('redis-cli talks to it, in both versions of the protocol', {skip: skipWithoutRedis}, async t => {
  const rig = await openRig(t)
  const port = (await freePort()).toString()
  const redis = rig.pillion(['redis', port])
  await redis.stdout.line(/Redis listens/)
  for (const version of ['-2', '-3']) {
    const cli = (...args: readonly string[]): string => {
      const {stdout, stderr} = spawnSync('redis-cli', ['-p', port, version, ...args], {encoding: 'utf8'})
      return stdout + stderr
    }
    t.equal(cli('FLUSHALL'), 'OK\n')
    t.equal(cli('MSET', 'a', 'x||v1', 'b', 'ü'), 'OK\n')
    t.same(cli('KEYS', '*').trim().split('\n').toSorted(), ['a', 'b'])
    t.same(cli('--scan').trim().split('\n').toSorted(), ['a', 'b'])
    t.equal(cli('GET', 'b'), 'ü\n')
    t.equal(cli('HSET', 'app||k', 'data', '1', 'version', '1'), '2\n')
    t.match(cli('HGETALL', 'app||k'), version === '-2' ? 'data\n1\nversion\n1\n' : /data 1\nversion 1/)
    t.match(cli('INFO', 'server'), /redis_version:7/)
    t.match(cli('NOSUCH'), "ERR unknown command 'NOSUCH'")
  }
  await redis.end('SIGINT')
})

t.test('a disk that fills up costs one warning; memory goes on', {skip: skipWithoutSmallDisk}, async t => {
  const rig = await openRig(t)
  const port = (await freePort()).toString()
  const folder = join(rig.home, 'disk')
  await mkdir(folder)
  const redis = rig.start([...SMALL_DISK, folder, ...rig.program, 'redis', port], {env: {XDG_STATE_HOME: folder}})
  await redis.stdout.line(/Redis listens/)
  const client = await respClient(Number(port))
  for (let at = 0; at < 4; at++) await client.call('SET', `k${at}`, 'x'.repeat(1024 * 1024))
  t.match(
    await redis.stderr.line(/cannot be written/),
    /^⚠ {2}the keys of Redis cannot be written: .*; they are kept in memory until that works$/
  )
  t.equal(await client.call('STRLEN', 'k3'), `:${1024 * 1024}`)
  for (let at = 0; at < 4; at++) await client.call('DEL', `k${at}`)
  await client.call('SET', 'small', '1')
  t.equal(await client.call('GET', 'small'), '"1"')
  t.match(await redis.end('SIGINT'), {code: 0})
  client.close()
})
