import {join} from 'node:path'
import t, {type Test} from 'tap'
import {FakeApiServer, type Asked} from '../../../../test/rig/fake-api-server.ts'
import {tlsFile, TLS} from '../../../../test/rig/tls.ts'
import {ClusterClient} from '../cluster/api-client.ts'
import {openAccess} from '../cluster/kubeconfig.ts'
import {openServer} from './open-server.ts'

/** Asks once with a kubeconfig. */
async function ask(t: Test, config: string): Promise<unknown> {
  const folder = t.testdir({config})
  const access = openAccess({context: '', namespace: ''}, {KUBECONFIG: join(folder, 'config')}, folder)
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
