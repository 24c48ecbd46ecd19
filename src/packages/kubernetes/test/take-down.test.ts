import t, {type Test} from 'tap'
import {ObjectStore} from '../cluster/object-store.ts'
import {openServer} from './open-server.ts'
import {podsGone, takeDown} from '../cluster/take-down.ts'

const DEPLOYMENTS = '/apis/apps/v1/namespaces/shop/deployments'
const PODS = '/api/v1/namespaces/shop/pods'

async function openStore(t: Test) {
  const {server, client} = await openServer(t)
  const save = (name: string, labels = {app: name, 'pillion/template': 'shop'}): void =>
    void server.save(`${DEPLOYMENTS}/${name}`, {kind: 'Deployment', metadata: {name, labels}})
  const savePod = (name: string, app: string, owner: string, spec = {}): void =>
    void server.save(`${PODS}/${name}`, {
      metadata: {name, labels: {app, 'pillion/template': 'shop'}, ownerReferences: [{uid: owner}]},
      spec
    })
  const deleted: string[] = []
  const down = {
    store: new ObjectStore(client),
    labels: 'pillion/template=shop',
    apps: [],
    now: new AbortController().signal,
    onDelete: (id: string) => void deleted.push(id),
    onWait: (text: string) => t.fail(text)
  }
  return {server, save, savePod, down, deleted}
}

t.test('what a run that is still at its start makes meanwhile goes, too', async t => {
  const {server, save, down, deleted} = await openStore(t)
  save('stock')
  let isLate = false
  server.answer = ({method}) => {
    if (method === 'DELETE' && !isLate) save('late')
    isLate ||= method === 'DELETE'
    return undefined
  }
  t.equal(await takeDown(down), 2)
  t.strictSame(deleted, ['stock', 'late'])
  t.strictSame([...server.objects.keys()], [])
})

t.test('resources of Dapr go last, whatever labels their file gives them', async t => {
  const {server, save, down, deleted} = await openStore(t)
  await down.store.lookUpDapr()
  const labels = {app: 'stock', 'pillion/template': 'shop'}
  server.save('/apis/dapr.io/v1alpha1/namespaces/shop/components/a', {kind: 'Component', metadata: {name: 'a', labels}})
  save('stock')
  await takeDown(down)
  t.strictSame(deleted, ['stock', ''])
  t.match(
    server.asked.findLast(asked => asked.startsWith('DELETE')),
    /components\/a$/
  )
})

t.test('what another one has made under the name of an object meanwhile is not deleted', {timeout: 8000}, async t => {
  const {server, save, down} = await openStore(t)
  save('stock')
  save('shop')
  const path = `${DEPLOYMENTS}/stock`
  server.answer = ({method, nth}) => {
    if (method !== 'DELETE' || nth > 1 || server.objects.get(path)?.metadata.labels?.['app'] !== 'stock')
      return undefined
    server.remove(path)
    save('stock', {app: 'theirs', 'pillion/template': 'other'})
    return undefined
  }
  await takeDown(down)
  t.strictSame([...server.objects.keys()], [path])
})

t.test('an object that the server did not delete, since another write came first, is not taken for gone', async t => {
  const {server, save, down} = await openStore(t)
  save('stock')
  const [before] = await down.store.list('apps/v1/Deployment', down.labels)
  server.answer = ({method}) => (method === 'DELETE' ? {code: 409} : undefined)
  await t.rejects(down.store.delete(before as NonNullable<typeof before>), {name: 'UserError'})
})

t.test('pods of another run that starts meanwhile are not waited for', {timeout: 20_000}, async t => {
  const {server, save, savePod, down, deleted} = await openStore(t)
  server.hasGrace = true
  for (const name of ['front', 'back']) save(name)
  savePod('front-1', 'front', 'first')
  savePod('back-1', 'back', 'first')
  server.answer = ({method, path, nth}) => {
    if (method !== 'DELETE') return undefined
    server.remove(path)
    if (path.endsWith('/back')) server.remove(`${PODS}/back-1`)
    else if (nth > 1) server.remove(`${PODS}/front-3`)
    else {
      // its ReplicaSet makes one more, and another run begins
      savePod('front-2', 'front', 'first')
      server.remove(`${PODS}/front-1`)
      setTimeout(() => {
        // were the news of the first pod later than this, it would show nothing, and fail nothing
        t.strictSame(deleted, ['front'], 'a late pod of its own is waited for')
        save('front')
        savePod('front-3', 'front', 'second')
        server.remove(`${PODS}/front-2`)
      }, 300)
    }
    return {code: 200, body: {}}
  }
  const apps = [
    {id: 'front', dependsOn: [{id: 'back', until: 'ready' as const}]},
    {id: 'back', dependsOn: []}
  ]
  t.equal(await takeDown({...down, apps}), 3)
  t.strictSame(deleted, ['front', 'back', 'front'])
  t.strictSame([...server.objects.keys()], [])
})

t.test('a run whose workloads others have deleted waits for nothing of a run after it', {timeout: 20_000}, async t => {
  const {server, save, savePod, down} = await openStore(t)
  savePod('stock-1', 'stock', 'first')
  const gone = podsGone({...down, apps: [{id: 'stock', dependsOn: []}]})
  await server.watching(1)
  save('stock')
  savePod('stock-2', 'stock', 'second')
  server.remove(`${PODS}/stock-1`)
  await gone
  t.ok(server.objects.has(`${DEPLOYMENTS}/stock`))
})

t.test('what is waited for is said while a server fails for long, once for all that is asked', async t => {
  const {server, down} = await openStore(t)
  const {client} = down.store
  const waiting = new Map<string, {readonly nth: number; readonly come: () => void}>()
  const asked = async (path: string, nth: number): Promise<void> => new Promise(come => waiting.set(path, {nth, come}))
  server.answer = ({path, nth}) => {
    const {nth: wanted = Infinity, come} = waiting.get(path) ?? {}
    if (nth >= wanted) come?.()
    return {code: 503, headers: {'retry-after': '1'}}
  }
  const end = new AbortController()
  const texts: string[] = []
  client.onWait = text => void texts.push(text)
  const ask = (path: string, more = {}): void => void t.rejects(client.json('GET', path, {signal: end.signal, ...more}))
  ask('/watched', {patienceMs: 0})
  await asked('/watched', 5)
  t.strictSame(texts, [], 'who asks for ever says so himself')
  const others = ['/version', '/apis/dapr.io']
  others.forEach(path => ask(path))
  await Promise.all(others.map(async path => asked(path, 5)))
  end.abort()
  t.strictSame(texts, ['waiting for the API server, still trying: fake 503'])
})

t.test('a pod has its whole grace also where its workload is gone already', async t => {
  const {server, savePod, down} = await openStore(t)
  const [component, set] = ['/apis/dapr.io/v1alpha1/namespaces/shop/components/store', setTimeout]
  const waits: number[] = []
  server.save(component, {kind: 'Component', metadata: {name: 'store', labels: {'pillion/template': 'shop'}}})
  savePod('stock-1', 'stock', 'first', {terminationGracePeriodSeconds: 600})
  await down.store.lookUpDapr()
  t.intercept(globalThis, 'setTimeout', {
    value: (fire: () => void, ms = 0) => {
      waits.push(ms)
      // 60 s are those of a request
      if (ms >= 30_000 && ms !== 60_000) void server.watching(1).then(() => server.remove(`${PODS}/stock-1`))
      return set(fire, ms)
    }
  })
  t.equal(await takeDown({...down, apps: [{id: 'stock', dependsOn: []}]}), 1)
  t.ok(Math.max(...waits) > 600_000)
})

t.test('who waits for pods hears that the API server does not answer', async t => {
  const {server, save, savePod, down} = await openStore(t)
  server.hasGrace = true
  save('stock')
  savePod('stock-1', 'stock', 'first')
  let isAway = false
  server.answer = ({method, path}) => {
    if (method === 'DELETE') {
      isAway = true
      server.endWatches()
    }
    return isAway && path === PODS ? 'gone' : undefined
  }
  const said = Promise.withResolvers<string>()
  const gone = takeDown({...down, apps: [{id: 'stock', dependsOn: []}], onWait: said.resolve})
  t.match(await said.promise, /^waiting for the API server, still trying: cannot reach the API server/)
  isAway = false
  server.remove(`${PODS}/stock-1`)
  t.equal(await gone, 1)
})
