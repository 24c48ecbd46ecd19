import {join} from 'node:path'
import t from 'tap'
import {FakeApiServer} from '../../../../test/rig/fake-api-server.ts'
import {ClusterClient} from '../cluster/api-client.ts'
import {openAccess} from '../cluster/kubeconfig.ts'
import {ObjectStore} from '../cluster/object-store.ts'
import {takeDown} from '../cluster/take-down.ts'

const DEPLOYMENTS = '/apis/apps/v1/namespaces/shop/deployments'

t.test('what a run that is still at its start makes meanwhile goes, too', async t => {
  const server = new FakeApiServer()
  await server.open()
  const folder = t.testdir({config: server.kubeconfig()})
  const access = openAccess({context: '', namespace: ''}, {KUBECONFIG: join(folder, 'config')}, folder)
  const client = new ClusterClient(access)
  t.teardown(async () => {
    client.close()
    await server.close()
  })
  const save = (name: string): void =>
    void server.save(`${DEPLOYMENTS}/${name}`, {
      kind: 'Deployment',
      metadata: {name, labels: {app: name, 'pillion/template': 'shop'}}
    })
  save('stock')
  let isLate = false
  server.answer = ({method}) => {
    if (method === 'DELETE' && !isLate) save('late')
    isLate ||= method === 'DELETE'
    return undefined
  }
  const deleted: string[] = []
  const count = await takeDown({
    store: new ObjectStore(client),
    labels: 'pillion/template=shop',
    apps: [],
    now: new AbortController().signal,
    onDelete: id => deleted.push(id),
    onWait: text => t.fail(text)
  })
  t.strictSame(deleted, ['stock', 'late'])
  t.equal(count, 2)
  t.strictSame([...server.objects.keys()], [])
})
