import {join} from 'node:path'
import t from 'tap'
import {FakeApiServer} from '../../../../test/rig/fake-api-server.ts'
import {ClusterClient} from '../cluster/api-client.ts'
import {applyChange} from '../cluster/apply.ts'
import {openAccess} from '../cluster/kubeconfig.ts'
import {ObjectStore} from '../cluster/object-store.ts'

const PATH = '/apis/apps/v1/namespaces/shop/deployments/stock'
const OURS = {app: 'stock', 'pillion/template': 'shop'}

t.test('what is applied over an object of ours is not applied over another one of its name', async t => {
  const server = new FakeApiServer()
  await server.open()
  const folder = t.testdir({config: server.kubeconfig()})
  const access = openAccess({context: '', namespace: ''}, {KUBECONFIG: join(folder, 'config')}, folder)
  const client = new ClusterClient(access)
  t.teardown(async () => {
    client.close()
    await server.close()
  })
  const store = new ObjectStore(client)
  const object = {apiVersion: 'apps/v1', kind: 'Deployment', metadata: {name: 'stock', labels: OURS}}
  const result = await store.apply(object)
  const change = {object, live: result, result, isReplaced: false}
  const {signal} = new AbortController()
  t.match(await applyChange(store, change, signal), {live: {metadata: {uid: result.metadata.uid}}})
  /** Before the next write another client deletes it, and makes what it likes. */
  const meanwhile = (work: () => void): void => {
    server.answer = ({method}) => {
      if (method !== 'PATCH') return undefined
      server.answer = () => undefined
      server.remove(PATH)
      work()
      return undefined
    }
  }
  meanwhile(() => undefined)
  t.match(await applyChange(store, change, signal), {outcome: 'created'})
  meanwhile(() => void server.save(PATH, {kind: 'Deployment', metadata: {name: 'stock', labels: {app: 'theirs'}}}))
  await t.rejects(applyChange(store, change, signal), {
    message: /^Deployment "stock" exists .* belongs to someone else$/
  })
  t.strictSame(server.objects.get(PATH)?.metadata.labels, {app: 'theirs'})
})
