import {join} from 'node:path'
import t from 'tap'
import {FakeApiServer} from '../../../../test/rig/fake-api-server.ts'
import {UserError} from '../../../model/errors.ts'
import {ClusterClient} from '../cluster/api-client.ts'
import {openAccess} from '../cluster/kubeconfig.ts'
import {ObjectStore} from '../cluster/object-store.ts'
import {hasNativeSidecars} from '../cluster/server-version.ts'
import {watch} from '../cluster/watch.ts'

const SECRET = {apiVersion: 'v1', kind: 'Secret', metadata: {name: 'a', namespace: 'shop', labels: {}}}
/** JSON that is nothing of what was asked for. */
const ODD: readonly unknown[] = [
  null,
  [],
  'x',
  7,
  {},
  ...['metadata', 'items', 'versions', 'resources'].map(key => ({[key]: null}))
]
const LISTS: readonly unknown[] = ['items', 'versions', 'resources'].flatMap(key => [
  {[key]: 'x'},
  {[key]: [null]},
  {[key]: [7]}
])

t.test('whatever an API server sends in the place of an answer is said in words', async t => {
  const server = new FakeApiServer()
  await server.open()
  const folder = t.testdir({config: server.kubeconfig()})
  const client = new ClusterClient(
    openAccess({context: '', namespace: ''}, {KUBECONFIG: join(folder, 'config')}, folder)
  )
  t.teardown(async () => {
    client.close()
    await server.close()
  })
  const store = new ObjectStore(client)
  const handler = {changed: () => undefined, gone: () => undefined}
  const asked: Readonly<Record<string, () => Promise<unknown>>> = {
    versions: async () => store.lookUpDapr(),
    items: async () => store.list('v1/Secret', ''),
    metadata: async () => store.find(SECRET),
    'metadata of what is applied': async () => store.apply(SECRET),
    'items to watch': async () =>
      watch(client, {path: '/api/v1/namespaces/shop/pods', labels: '', signal: new AbortController().signal}, handler)
  }
  for (const body of [...ODD, ...LISTS]) {
    server.answer = () => ({code: 200, body: JSON.stringify(body)})
    const told = `${server.url} is no Kubernetes API server: it answers `
    for (const [what, ask] of Object.entries(asked)) {
      const error = await ask().then(
        () => undefined,
        (reason: unknown) => reason
      )
      const text = `${what}: ${JSON.stringify(body)}`
      t.ok(error instanceof UserError && error.message.startsWith(told), text)
      t.match(error, {message: new RegExp(` without ${what.split(' ', 1)[0] ?? ''}$`)}, text)
    }
    t.equal(await hasNativeSidecars(client), false)
  }
  server.answer = ({path}) =>
    path.endsWith('/v1alpha1') ? {code: 200, body: {resources: [{}, {name: 7, kind: null}]}} : undefined
  t.equal(await store.lookUpDapr(), false, 'kinds without a name are none')
})

t.test(
  'a server that is away is asked once after a second Ctrl-C, also if the run sets its patience later',
  async t => {
    const server = new FakeApiServer()
    await server.open()
    let asked = 0
    server.answer = () => {
      asked++
      return 'gone'
    }
    const folder = t.testdir({config: server.kubeconfig()})
    const client = new ClusterClient(
      openAccess({context: '', namespace: ''}, {KUBECONFIG: join(folder, 'config')}, folder)
    )
    t.teardown(async () => {
      client.close()
      await server.close()
    })
    client.hurry()
    client.outageMs = 3000
    await t.rejects(client.json('GET', '/version'), {message: /^cannot reach the API server/})
    t.equal(asked, 1)
  }
)
