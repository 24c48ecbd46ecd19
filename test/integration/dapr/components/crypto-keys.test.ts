import {createServer} from 'node:http'
import {once} from 'node:events'
import {generateKeyPairSync} from 'node:crypto'
import {symlinkSync, unlinkSync, writeFileSync} from 'node:fs'
import type {AddressInfo} from 'node:net'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import type {CryptoProvider, WrapAlgorithm} from '../../../../src/dapr/components/crypto-provider.ts'
import {open as openJwks} from '../../../../src/dapr/components/crypto/jwks.ts'
import {open as openFolder} from '../../../../src/dapr/components/crypto/local-storage.ts'
import {Properties} from '../../../../src/dapr/components/properties.ts'
import {openComponent} from '../../../rig/open-component.ts'

const SECRET = Buffer.alloc(32, 7)
const {privateKey, publicKey} = generateKeyPairSync('rsa', {modulusLength: 2048})
const EC = generateKeyPairSync('ec', {namedCurve: 'P-256'})
const K = SECRET.toString('base64url')

/** Whether what a key has wrapped is opened by another one of the same component. */
const opens = async (
  t: Test,
  provider: CryptoProvider,
  algorithm: WrapAlgorithm,
  names: readonly [by: string, back: string]
): Promise<void> => {
  const wrapped = await provider.wrap(SECRET, {name: names[0], algorithm})
  t.strictSame(await provider.unwrap(wrapped, {name: names[1], algorithm}), SECRET, names.join(' → '))
}

t.test('crypto.dapr.localstorage: the forms of keys; files are read at each call', async t => {
  const folder = t.testdir({
    raw: SECRET,
    base64: `${SECRET.toString('base64')}\n`,
    url: K,
    'jwk.json': JSON.stringify({kty: 'oct', k: K}),
    jwk: JSON.stringify({kty: 'oct', k: K, alg: 'A256KW', key_ops: ['wrapKey', 'unwrapKey']}),
    'one.pem': privateKey.export({type: 'pkcs1', format: 'pem'}),
    two: privateKey.export({type: 'pkcs8', format: 'pem'}),
    'public.pem': publicKey.export({type: 'spki', format: 'pem'}),
    'public.json': JSON.stringify(publicKey.export({format: 'jwk'})),
    'private.json': JSON.stringify(privateKey.export({format: 'jwk'})),
    below: {key: SECRET},
    'ec.pem': EC.privateKey.export({type: 'sec1', format: 'pem'}),
    'sign.json': JSON.stringify({kty: 'oct', k: K, use: 'sig'}),
    'wrap.json': JSON.stringify({kty: 'oct', k: K, key_ops: ['wrapKey']}),
    'other.json': JSON.stringify({kty: 'oct', k: K, alg: 'A128KW'}),
    'rotten.pem': '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
    'rotten.json': '{"kty":"oct"',
    'unquoted.json': `{"kty":"oct","k":${K}}`
  })
  const provider = await openComponent(t, openFolder, {path: '.'}, {folder})
  for (const name of ['raw', 'base64', 'url', 'jwk.json', 'jwk', 'below/key'])
    await opens(t, provider, 'A256KW', [name, 'raw'])
  for (const name of ['one.pem', 'two', 'public.pem', 'public.json', 'private.json'])
    await opens(t, provider, 'RSA-OAEP-256', [name, name.startsWith('p') ? 'private.json' : name])
  const wrap = async (name: string, algorithm: WrapAlgorithm = 'A256KW') => provider.wrap(SECRET, {name, algorithm})
  const retrieve = 'failed to retrieve the key encryption key: '
  await t.rejects(wrap('ec.pem', 'RSA-OAEP-256'), {message: 'failed to encrypt data: key type mismatch'})
  await t.rejects(wrap('sign.json'), {message: "key cannot perform the 'wrapKey' operation"})
  await t.rejects(wrap('other.json'), {message: "key cannot be used with algorithm 'A256KW'"})
  await t.rejects(provider.unwrap(SECRET, {name: 'wrap.json', algorithm: 'A256KW'}), {
    message: "key cannot perform the 'unwrapKey' operation"
  })
  for (const name of ['rotten.pem', 'rotten.json'])
    await t.rejects(wrap(name), {message: new RegExp(`^${retrieve}failed to parse key from secret: `)}, name)
  await t.rejects(
    wrap('unquoted.json'),
    {message: `${retrieve}failed to parse key from secret: Unexpected token 'B' is not valid JSON`},
    'no part of the key'
  )
  await t.rejects(wrap('new'), {message: `${retrieve}failed to load key 'new': no such file or directory`})
  symlinkSync('circle', join(folder, 'circle'))
  for (const [name, why] of [
    ['raw/', 'not a directory'],
    ['circle', 'too many symbolic links encountered'],
    ['n'.repeat(300), 'name too long']
  ] as const)
    await t.rejects(wrap(name), {message: `${retrieve}failed to load key '${name}': ${why}`}, 'without the path')
  writeFileSync(join(folder, 'new'), SECRET)
  await opens(t, provider, 'A256KW', ['new', 'raw'])
})

t.test('crypto.dapr.localstorage: a folder that is none is told with its place', async t => {
  const folder = t.testdir({file: ''})
  for (const [path, why] of [
    ['', "metadata property 'path' is required"],
    ['nope', "could not stat path 'nope': no such file or directory"],
    ['file', "path 'file' is not a directory"]
  ] as const)
    await t.rejects(openComponent(t, openFolder, {path}, {folder}), {
      message: `failed to load metadata: ${why}`,
      place: {file: 'component.yaml'}
    })
})

t.test('crypto.dapr.jwks: as a text, base64, a file that changes; keys by their kid', async t => {
  const set = JSON.stringify({keys: [{kty: 'oct', k: K, kid: 'a'}, {kty: 'oct', k: K}, null]})
  const folder = t.testdir({'keys.json': set})
  for (const jwks of [set, Buffer.from(set).toString('base64'), 'keys.json', `file://${folder}/keys.json`]) {
    const provider = await openComponent(t, openJwks, {jwks}, {folder})
    await opens(t, provider, 'A256KW', ['a', 'a'])
    await t.rejects(provider.wrap(SECRET, {name: 'b', algorithm: 'A256KW'}), {
      message: 'failed to retrieve the key encryption key: key not found'
    })
  }
  const warnings: string[] = []
  const provider = await openComponent(t, openJwks, {jwks: 'keys.json'}, {folder, warn: text => warnings.push(text)})
  writeFileSync(join(folder, 'keys.json'), set.replace('"a"', '"b"'))
  await opens(t, provider, 'A256KW', ['b', 'b'])
  writeFileSync(join(folder, 'keys.json'), '{"keys":[')
  await opens(t, provider, 'A256KW', ['b', 'b'])
  unlinkSync(join(folder, 'keys.json'))
  await opens(t, provider, 'A256KW', ['b', 'b'])
  await opens(t, provider, 'A256KW', ['b', 'b'])
  t.match(warnings, [/end of JSON input$/, /ENOENT/], 'each once, and not at each call')
  t.equal(warnings.length, 2)
  for (const jwks of ['', 'nope.json', '{"keys":1}', '{'])
    await t.rejects(
      openComponent(t, openJwks, {jwks}, {folder}),
      {message: /\w/, place: {file: 'component.yaml'}},
      jwks
    )
})

t.test('crypto.dapr.jwks: a URL is asked again once its answer is old; without one it is as before', async t => {
  let status = 200
  let asked = 0
  const server = createServer((_, response) => {
    asked++
    response.writeHead(status).end(JSON.stringify({keys: [{kty: 'oct', k: K, kid: asked.toString()}]}))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close().closeAllConnections())
  const jwks = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`
  const warnings: string[] = []
  const kept = await openComponent(t, openJwks, {jwks})
  await opens(t, kept, 'A256KW', ['1', '1'])
  t.equal(asked, 1)
  const anew = await openComponent(t, openJwks, {jwks, minRefreshInterval: '0s'}, {warn: text => warnings.push(text)})
  await anew.wrap(SECRET, {name: '3', algorithm: 'A256KW'})
  status = 503
  await anew.wrap(SECRET, {name: '3', algorithm: 'A256KW'})
  t.match(warnings, [/its key set could not be refreshed: .* answered 503/])
  await t.rejects(openComponent(t, openJwks, {jwks}), {message: /^failed to load the JWKS: .* answered 503/})
  await t.rejects(openComponent(t, openJwks, {jwks: 'http://127.0.0.1:1/keys'}), {
    message: 'failed to load the JWKS: Get "http://127.0.0.1:1/keys": dial tcp 127.0.0.1:1: connect: connection refused'
  })
  await t.rejects(openComponent(t, openJwks, {jwks: 'http://'}), {message: '"http://" is no URL'})
})

t.test('a key in place of a key set, or of the path to a file, is in no error', async t => {
  const place = {file: 'keys.yaml', line: 1, column: 1, source: ''}
  const pem = privateKey.export({type: 'pkcs8', format: 'pem'})
  for (const value of [pem, 'MIIEsecret//of/the/house\n', './MIIEsecret/of/the/house']) {
    const properties = new Properties([{name: 'jwks', value, isSecret: true, place}])
    const message = /^failed to load the JWKS: \w+: [^/]*'\/keys\/\*\*\*'$/
    await t.rejects(openComponent(t, openJwks, {}, {properties, folder: '/keys'}), {message})
  }
})
