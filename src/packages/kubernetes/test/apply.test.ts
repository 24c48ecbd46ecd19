import t from 'tap'
import {applyChange} from '../cluster/apply.ts'
import {ObjectStore} from '../cluster/object-store.ts'
import {openServer} from './open-server.ts'

const PATH = '/apis/apps/v1/namespaces/shop/deployments/stock'
const OURS = {app: 'stock', 'pillion/template': 'shop'}

t.test('what is applied over an object of ours is not applied over another one of its name', async t => {
  const {server, client} = await openServer(t)
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
