import {once} from 'node:events'
import {readFileSync} from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import type {AddressInfo} from 'node:net'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {component} from '../rig/resource-files.ts'
import {openRig} from '../rig/rig.ts'

t.test('headers of an HTTPEndpoint that a secret store has; one that is missing is told to who calls', async t => {
  const server = http.createServer((request, response) => response.end(JSON.stringify(request.headers)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close().closeAllConnections())
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const endpoint = (name: string, secret: object, secretStore = 'vault'): string =>
    JSON.stringify({
      apiVersion: 'dapr.io/v1alpha1',
      kind: 'HTTPEndpoint',
      metadata: {name},
      spec: {
        baseUrl,
        headers: [
          {name: 'X-Plain', value: 'p'},
          {name: 'Authorization', secretKeyRef: secret}
        ]
      },
      auth: {secretStore}
    })
  const rig = await openRig(t)
  await rig.write({
    'shop/secrets.json': '{"token":"first","deep":{"er":"second"}}',
    'resources/vault.yaml': component('vault', 'secretstores.local.file', {secretsFile: 'secrets.json'}),
    'resources/site.yaml': endpoint('site', {name: 'token'}),
    'resources/none.yaml': endpoint('none', {name: 'absent'}),
    'resources/other.yaml': endpoint('other', {name: 'token'}, 'safe')
  })
  await rig.template([{appID: 'shop', resourcesPath: '../resources'}])
  const run = rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  const headersOf = async (): Promise<Record<string, string>> =>
    JSON.parse((await shop.fetch('/v1.0/invoke/site/method/x')).body) as Record<string, string>
  t.match(await headersOf(), {'x-plain': 'p', authorization: 'first'})
  t.match(await shop.fetch('/v1.0/invoke/none/method/x'), {
    status: 500,
    body: /the HTTPEndpoint \\"none\\" cannot be used \(secret absent not found in vault\)/
  })
  t.match(await shop.fetch('/v1.0/invoke/other/method/x'), {status: 500, body: /there is no secret store safe/})
  await rig.write({'resources/site.yaml': endpoint('site', {name: 'deep:er'})})
  while ((await headersOf())['authorization'] !== 'second') await pause(5)
  t.notMatch(run.stderr.text, /first|second/)
})

t.test('an HTTPEndpoint is called once its secret store is there, though its own file stays as it is', async t => {
  const server = http.createServer((request, response) => response.end(request.headers.authorization))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close().closeAllConnections())
  const rig = await openRig(t)
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await rig.write({
    'shop/secrets.json': '{"token":"first"}',
    'resources/state.yaml': component('state', 'state.in-memory', {}),
    'resources/site.yaml': JSON.stringify({
      apiVersion: 'dapr.io/v1alpha1',
      kind: 'HTTPEndpoint',
      metadata: {name: 'site'},
      spec: {baseUrl, headers: [{name: 'Authorization', secretKeyRef: {name: 'token'}}]},
      auth: {secretStore: 'vault'}
    })
  })
  await rig.template([{appID: 'shop', resourcesPath: '../resources'}])
  rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  t.match(await shop.fetch('/v1.0/invoke/site/method/x'), {status: 500, body: /there is no secret store vault/})
  await rig.write({
    'resources/vault.yaml': component('vault', 'secretstores.local.file', {secretsFile: 'secrets.json'})
  })
  await rig.logged('shop', /Component loaded: vault/)
  for (;;) {
    const {status, body} = await shop.fetch('/v1.0/invoke/site/method/x')
    if (status === 200) return t.equal(body, 'first')
  }
})

const pem = (name: string): string => readFileSync(join(import.meta.dirname, '../fixtures/tls', name), 'utf8')
const secret = (name: string): object => ({secretKeyRef: {name}})

t.test('certificates of an HTTPEndpoint that a secret store has', async t => {
  const [key, cert, ca] = [pem('server.key'), pem('server.pem'), pem('ca.pem')]
  const server = https.createServer({key, cert, ca, requestCert: true, rejectUnauthorized: true}, (_, response) =>
    response.end('private')
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close().closeAllConnections())
  const endpoint = (name: string, privateKey: string): string =>
    JSON.stringify({
      apiVersion: 'dapr.io/v1alpha1',
      kind: 'HTTPEndpoint',
      metadata: {name},
      spec: {
        baseUrl: `https://localhost:${(server.address() as AddressInfo).port}`,
        clientTLS: {rootCA: secret('ca'), certificate: secret('cert'), privateKey: secret(privateKey)}
      },
      auth: {secretStore: 'vault'}
    })
  const rig = await openRig(t)
  await rig.write({
    'shop/secrets.json': JSON.stringify({ca, cert: pem('client.pem'), key: pem('client.key')}),
    'resources/vault.yaml': component('vault', 'secretstores.local.file', {secretsFile: 'secrets.json'}),
    'resources/site.yaml': endpoint('site', 'key'),
    'resources/none.yaml': endpoint('none', 'absent')
  })
  await rig.template([{appID: 'shop', resourcesPath: '../resources'}])
  rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  t.match(await shop.fetch('/v1.0/invoke/site/method/x'), {status: 200, body: 'private'})
  t.match(await shop.fetch('/v1.0/invoke/none/method/x'), {status: 500, body: /secret absent not found in vault/})
})
