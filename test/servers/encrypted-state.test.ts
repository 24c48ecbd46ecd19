import {execFileSync} from 'node:child_process'
import {createDecipheriv} from 'node:crypto'
import {join} from 'node:path'
import t from 'tap'
import {missing} from '../rig/missing.ts'
import {realRedis, skipWithoutRedis} from '../rig/redis.ts'
import {openRig} from '../rig/rig.ts'
import {component} from '../rig/resource-files.ts'

const KEY = '11'.repeat(32)

/** What a client of the database prints; undefined: it is not on this machine. */
const printed = (command: string, args: readonly string[]): string | undefined => {
  try {
    return execFileSync(command, args, {encoding: 'utf8'}).trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Reads a kept value from its form alone: base64 of nonce and cipher text, two bars, the name of the key. */
function opened(kept: string): {readonly name: string; readonly plain: string} {
  const [, text = '', name = ''] = /^([\w+/]+=*)\|\|(.+)$/.exec(kept) ?? []
  const bytes = Buffer.from(text, 'base64')
  const decipher = createDecipheriv('aes-256-gcm', Buffer.from(KEY, 'hex'), bytes.subarray(0, 12))
  decipher.setAuthTag(bytes.subarray(-16))
  return {name, plain: Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString()}
}

const encrypted = (name: string, type: string, metadata: Readonly<Record<string, string>>): string => {
  const store = JSON.parse(component(name, type, metadata)) as {readonly spec: {readonly metadata: object[]}}
  store.spec.metadata.push({name: 'primaryEncryptionKey', secretKeyRef: {name: 'one', key: 'one'}})
  return JSON.stringify({...store, auth: {secretStore: 'vault'}})
}

t.test('an encrypted store has base64, bars, the key’s name; plain keys', {skip: skipWithoutRedis}, async t => {
  const rig = await openRig(t)
  const {port} = await realRedis(t)
  const path = join(rig.folder, 'state.db')
  await rig.write({
    'vault.json': JSON.stringify({one: KEY}),
    'resources/vault.yaml': component('vault', 'secretstores.local.file', {
      secretsFile: join(rig.folder, 'vault.json')
    }),
    'resources/fast.yaml': encrypted('fast', 'state.redis', {redisHost: `localhost:${port}`}),
    'resources/slow.yaml': encrypted('slow', 'state.sqlite', {connectionString: path})
  })
  await rig.template([{appID: 'shop', appDirPath: '.', resourcesPath: './resources', command: ['sleep', '600']}])
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('shop')
  for (const store of ['fast', 'slow']) {
    const url = `http://127.0.0.1:${http}/v1.0/state/${store}`
    const body = JSON.stringify([{key: 'order', value: {secret: 'pear'}}])
    t.equal((await fetch(url, {method: 'POST', body})).status, 204)
    t.strictSame(await (await fetch(`${url}/order`)).json(), {secret: 'pear'})
  }
  const cli = (...args: readonly string[]) => printed('redis-cli', ['-p', port.toString(), ...args])
  t.equal(cli('keys', '*'), 'shop||order')
  t.strictSame(opened(cli('hget', 'shop||order', 'data') ?? ''), {name: 'one', plain: '{"secret":"pear"}'})
  const row = printed('sqlite3', [path, 'SELECT key, is_binary, value FROM state'])
  if (row === undefined) return void t.pass('without sqlite3', {skip: missing('sqlite3')})
  t.notMatch(row, /pear/)
  const [, isBinary, value = ''] = /^shop\|\|order\|(\d)\|(.*)$/.exec(row) ?? []
  t.strictSame(opened(isBinary === '1' ? Buffer.from(value, 'base64').toString() : value), {
    name: 'one',
    plain: '{"secret":"pear"}'
  })
})
