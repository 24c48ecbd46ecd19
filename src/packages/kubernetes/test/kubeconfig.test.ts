import {once} from 'node:events'
import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {createServer} from 'node:http'
import {connect, createServer as createTcp, type AddressInfo, type Socket} from 'node:net'
import t, {type Test} from 'tap'
import {FakeApiServer, type Asked} from '../../../../test/rig/fake-api-server.ts'
import {tlsFile, TLS} from '../../../../test/rig/tls.ts'
import {ClusterClient} from '../cluster/api-client.ts'
import {openAccess} from '../cluster/kubeconfig.ts'
import {openServer} from './open-server.ts'

const openSecure = async (t: Test): Promise<FakeApiServer> => {
  const server = new FakeApiServer({cert: Buffer.from(tlsFile('server.pem')), key: Buffer.from(tlsFile('server.key'))})
  await server.open()
  t.teardown(async () => server.close())
  return server
}

/** Asks once with a kubeconfig. */
async function ask(t: Test, config: string, env: NodeJS.ProcessEnv = {}): Promise<unknown> {
  const folder = t.testdir({config})
  const access = openAccess({context: '', namespace: ''}, {KUBECONFIG: join(folder, 'config'), ...env}, folder)
  const client = new ClusterClient(access)
  try {
    return await client.json('GET', '/version')
  } finally {
    client.close()
  }
}

t.test('the authority of a server counts also where the context names no user', async t => {
  const server = new FakeApiServer({cert: Buffer.from(tlsFile('server.pem')), key: Buffer.from(tlsFile('server.key'))})
  await server.open()
  t.teardown(async () => server.close())
  const {
    contexts: [named],
    ...rest
  } = JSON.parse(server.kubeconfig({}, {'certificate-authority': join(TLS, 'ca.pem')})) as {
    contexts: {context: object}[]
  }
  for (const user of ['me', '', undefined]) {
    const contexts = [{...named, context: {...named?.context, user}}]
    t.match(await ask(t, JSON.stringify({...rest, contexts})), {major: '1'}, String(user))
  }
})

t.test(
  'a kubeconfig that acts as someone else names also the groups, the id and what else is known of them',
  async t => {
    const {server} = await openServer(t)
    let seen: Asked['impersonated'] = {}
    server.answer = ({impersonated}) => {
      seen = impersonated
      return undefined
    }
    await ask(
      t,
      server.kubeconfig({
        token: 'x',
        as: 'admin',
        'as-groups': ['system:masters', 'ops'],
        'as-uid': '7',
        'as-user-extra': {'acme.com/project': ['a', 'b']}
      })
    )
    t.strictSame(seen, {
      'impersonate-user': ['admin'],
      'impersonate-group': ['system:masters', 'ops'],
      'impersonate-uid': ['7'],
      'impersonate-extra-acme.com%2fproject': ['a', 'b']
    })
  }
)

t.test(
  'a server is reached by the proxy that the environment names, as with kubectl; one of this machine is not',
  async t => {
    const server = await openSecure(t)
    const through: string[] = []
    const proxy = createServer().on('connect', ({url = ''}, socket) => {
      through.push(url)
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      const up = connect(Number(new URL(server.url).port), '127.0.0.1', () => socket.pipe(up).pipe(socket))
      for (const each of [up, socket]) each.on('error', () => [up, socket].map(end => end.destroy()))
    })
    await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve))
    t.teardown(() => proxy.close())
    const {port} = proxy.address() as AddressInfo
    const trusted = {'certificate-authority': join(TLS, 'ca.pem'), 'tls-server-name': 'localhost'}
    const config = server.kubeconfig({}, {...trusted, server: 'https://cluster.test'})
    t.match(await ask(t, config, {HTTPS_PROXY: `127.0.0.1:${port}`}), {major: '1'})
    t.strictSame(through, ['cluster.test:443'])
    t.match(await ask(t, server.kubeconfig({}, trusted), {HTTPS_PROXY: 'http://127.0.0.1:1'}), {major: '1'})
    const written = server.kubeconfig(
      {},
      {...trusted, server: 'https://cluster.test', 'proxy-url': `http://127.0.0.1:${port}`}
    )
    t.match(await ask(t, written, {HTTPS_PROXY: 'http://127.0.0.1:1'}), {major: '1'}, 'the kubeconfig comes first')
    await t.rejects(ask(t, config, {HTTPS_PROXY: `127.0.0.1:${port}`, NO_PROXY: '.test'}), {message: /ENOTFOUND/})
  }
)

t.test('a proxy that does not answer is waited for no longer than a server', {timeout: 20_000}, async t => {
  const {server} = await openServer(t)
  const sockets: Socket[] = []
  const silent = createTcp(socket => sockets.push(socket.on('error', () => undefined).resume()))
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    silent.close()
  })
  const {port} = silent.address() as AddressInfo
  for (const scheme of ['http', 'socks5']) {
    const config = server.kubeconfig({}, {server: 'https://cluster.test', 'proxy-url': `${scheme}://127.0.0.1:${port}`})
    await t.rejects(ask(t, config), {message: /no answer within 5 s$/}, scheme)
    // a client of SOCKS gives up by itself
    if (scheme === 'http') for (const socket of sockets) if (!socket.closed) await once(socket, 'close')
  }
})

t.test(
  'a program that gives credentials hears of the proxy that the kubeconfig names, as it is written there',
  async t => {
    const {server} = await openServer(t)
    const folder = t.testdir({})
    const script = `echo "$KUBERNETES_EXEC_INFO" >${join(folder, 'seen')}; exit 1`
    const exec = {apiVersion: 'client.authentication.k8s.io/v1', command: 'sh', args: ['-c', script]}
    const user = {exec: {...exec, provideClusterInfo: true}}
    const https = {server: 'https://cluster.test'}
    for (const written of ['socks5://127.0.0.1:1', undefined]) {
      const config = server.kubeconfig(user, {...https, 'proxy-url': written})
      await t.rejects(ask(t, config, {HTTPS_PROXY: 'http://127.0.0.1:1'}))
      const info = JSON.parse(readFileSync(join(folder, 'seen'), 'utf8')) as {spec: {cluster: Record<string, unknown>}}
      t.equal(info.spec.cluster['proxy-url'], written)
    }
  }
)

t.test('a kubeconfig of hundreds of clusters is read', async t => {
  const {server} = await openServer(t)
  const config = JSON.parse(server.kubeconfig()) as {clusters: object[]}
  const data = Buffer.alloc(3000).toString('base64')
  for (let at = 0; at < 500; at++)
    config.clusters.push({name: `c${at}`, cluster: {server: 'https://c.test', 'certificate-authority-data': data}})
  t.match(await ask(t, JSON.stringify(config)), {major: '1'})
})
