import {once} from 'node:events'
import {PassThrough} from 'node:stream'
import t from 'tap'
import {AppDeployment, type AppDeploymentOptions, type AppLogs, type ContainerExit} from '../cluster/app-deployment.ts'
import type {Ask, ClusterClient} from '../cluster/api-client.ts'
import type {LiveObject} from '../cluster/object-store.ts'
import type {Pod, Terminated} from '../cluster/pod.ts'
import {verdictOf} from '../cluster/verdict.ts'
import type {AppObjects} from '../object.ts'

/** An app of a run whose logs cannot be read; `ends`: what it said of its containers. */
function open(
  kind: 'Deployment' | 'Job',
  onPod: AppDeploymentOptions['onPod'] = () => undefined,
  spec = {},
  more: Partial<AppDeploymentOptions> = {}
) {
  const ends: ContainerExit[] = []
  const deployment = new AppDeployment({
    client: {open: async () => Promise.reject(new Error('no log'))} as unknown as ClusterClient,
    app: {id: 'app', workload: {kind, spec}} as unknown as AppObjects,
    signal: AbortSignal.abort(),
    openLogs: async () => new Promise(() => undefined),
    onPod,
    onExit: exit => ends.push(exit),
    ...more
  })
  return {deployment, ends}
}

const live = (uid: string, version: number, {generation = 1, status = {}} = {}): LiveObject => ({
  apiVersion: '',
  kind: '',
  metadata: {name: 'app', uid, resourceVersion: `${version}`, generation, creationTimestamp: '', labels: {app: 'app'}},
  spec: {replicas: 1},
  status
})

const pod = (uid: string, containers: Readonly<Record<string, Terminated>>): Pod => ({
  metadata: {uid, name: uid, namespace: 'shop', resourceVersion: '1', creationTimestamp: ''},
  spec: {containers: Object.keys(containers).map(name => ({name}))},
  status: {
    containerStatuses: Object.entries(containers).map(([name, terminated]) => ({
      name,
      ready: false,
      restartCount: 0,
      image: '',
      state: {terminated}
    }))
  }
})

const ROLLED_OUT = {observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1}

t.test('a Deployment that was changed is not ready by its state of before', async t => {
  const {deployment} = open('Deployment')
  deployment.see(live('1', 10, {status: ROLLED_OUT}))
  deployment.applied(live('1', 20, {generation: 2, status: ROLLED_OUT}), 'configured')
  t.equal(deployment.progress(), 'starting')
  deployment.see(live('1', 15, {status: ROLLED_OUT}))
  t.equal(deployment.progress(), 'starting', 'what the watch brings late changes nothing')
  const done = live('1', 30, {generation: 2, status: {...ROLLED_OUT, observedGeneration: 2}})
  deployment.see(done)
  t.equal(deployment.progress(), 'ready')
})

t.test('a state that the watch has brought before the answer of the server stays', async t => {
  const {deployment} = open('Deployment')
  deployment.see(live('1', 30, {status: ROLLED_OUT}))
  deployment.applied(live('1', 20), 'created')
  t.equal(deployment.progress(), 'ready')
})

t.test('a Job that was replaced has not ended as the one before it', async t => {
  const {deployment} = open('Job')
  const before = pod('a', {app: {exitCode: 0, containerID: 'a'}})
  deployment.see(live('1', 10, {status: {succeeded: 1}}))
  deployment.podChanged(before, true)
  deployment.deploying()
  deployment.applied(live('2', 20), 'created')
  t.equal(deployment.progress(), 'starting')
  t.notOk(deployment.hasStarted)
  deployment.see(live('1', 15, {status: {succeeded: 1}}))
  deployment.podChanged(before, true)
  t.equal(deployment.progress(), 'starting', 'what the watch brings late changes nothing')
  deployment.podChanged(pod('b', {app: {exitCode: 3, containerID: 'b'}}), false)
  t.equal(deployment.progress(), 'failed')
})

t.test('a Job that is the same one keeps its end', async t => {
  for (const outcome of ['unchanged', 'configured'] as const) {
    const {deployment} = open('Job')
    deployment.podChanged(pod('a', {app: {exitCode: 0, containerID: 'a'}}), true)
    deployment.deploying()
    deployment.applied(live('1', 20), outcome)
    t.equal(deployment.progress(), 'completed', outcome)
  }
})

t.test('a Job that has ended stays so when the cluster removes it, with its pod', async t => {
  for (const [exitCode, progress] of [
    [0, 'completed'],
    [3, 'failed']
  ] as const) {
    const {deployment} = open('Job')
    const own = pod('a', {app: {exitCode}})
    deployment.deploying()
    deployment.applied(live('1', 10), 'created')
    deployment.podChanged(own, false)
    t.equal(deployment.progress(), progress)
    deployment.podGone(own)
    deployment.live = undefined
    t.equal(deployment.progress(), progress)
  }
})

t.test('a Job that tries again has failed when it gives up, not with its first pod', async t => {
  const {deployment} = open('Job', () => undefined, {backoffLimit: 2})
  deployment.applied(live('1', 10), 'created')
  deployment.podChanged(pod('a', {app: {exitCode: 3}}), false)
  deployment.see(live('1', 20, {status: {failed: 1}}))
  t.equal(deployment.progress(), 'starting')
  const {deployment: other} = open('Job', () => undefined, {backoffLimit: 2})
  other.applied(live('1', 10), 'created')
  other.see(live('1', 20, {status: {failed: 3, conditions: [{type: 'Failed', status: 'True'}]}}))
  t.equal(other.progress(), 'failed')
  deployment.podChanged(pod('b', {app: {exitCode: 0}}), false)
  t.equal(deployment.progress(), 'completed')
})

t.test('a Job of several completions has completed when so many pods have', async t => {
  const {deployment} = open('Job', undefined, {completions: 2})
  deployment.deploying()
  deployment.applied(live('1', 10), 'created')
  deployment.podChanged(pod('a', {app: {exitCode: 0}}), false)
  t.equal(deployment.progress(), 'starting')
  deployment.see(live('1', 11, {status: {succeeded: 1}}))
  t.equal(deployment.progress(), 'starting')
  deployment.podChanged(pod('b', {app: {exitCode: 0}}), false)
  t.equal(deployment.progress(), 'completed')
})

t.test('a Job of several completions has also completed when its successPolicy says so', async t => {
  const {deployment} = open('Job', undefined, {completions: 3, successPolicy: {rules: [{succeededCount: 1}]}})
  deployment.deploying()
  deployment.applied(live('1', 10), 'created')
  deployment.podChanged(pod('0', {app: {exitCode: 0}}), false)
  t.equal(deployment.progress(), 'starting')
  deployment.see(live('1', 11, {status: {succeeded: 1, conditions: [{type: 'SuccessCriteriaMet', status: 'True'}]}}))
  // the cluster ends the others
  deployment.podChanged(pod('1', {app: {exitCode: 143}}), false)
  t.equal(deployment.progress(), 'completed')
})

t.test('where its sidecar keeps running, Kubernetes does not restart the pod of a Job: Pillion says so', async t => {
  const {deployment} = open('Job', () => undefined, {backoffLimit: 2})
  deployment.applied(live('1', 10), 'created')
  const failed = pod('a', {app: {exitCode: 3}})
  const sidecar = {name: 'daprd', ready: true, restartCount: 0, image: '', state: {running: {startedAt: ''}}}
  deployment.podChanged(failed, false)
  t.equal(deployment.hindrance(), '', 'its pod ends')
  deployment.podChanged(
    {...failed, status: {containerStatuses: [...(failed.status?.containerStatuses ?? []), sidecar]}},
    false
  )
  t.match(deployment.hindrance(), /^it exited with code 3, and its sidecar still runs/)
  t.equal(deployment.progress(), 'starting', 'its sidecar may end, too')
  t.match(deployment.giveUp(), /^it exited with code 3/)
  t.equal(deployment.progress(), 'failed')
  t.equal(deployment.hindrance(), '')
})

t.test('each end of a container without an id is reported once', async t => {
  const {deployment, ends} = open('Deployment')
  const end = {exitCode: 137, reason: 'ContainerStatusUnknown'}
  for (const uid of ['a', 'a', 'b']) deployment.podChanged(pod(uid, {daprd: end, app: end}), false)
  await deployment.reports
  t.same(
    ends.map(exit => `${exit.pod} ${exit.container}`),
    ['a daprd', 'a app', 'b daprd', 'b app']
  )
})

t.test('of a pod that waited for its node before the run all is read', async t => {
  const own = pod('a', {app: {exitCode: 1, containerID: 'c'}})
  own.status?.containerStatuses?.forEach(each => Object.assign(each, {containerID: 'c'}))
  const asked = Promise.withResolvers<unknown>()
  const end = new AbortController()
  t.teardown(() => end.abort())
  const client = {
    json: async () => Promise.resolve(own),
    open: async (_method: string, _path: string, {query}: Ask) => {
      asked.resolve(query?.['tailLines'])
      return Promise.reject(new Error('no log'))
    }
  }
  const {deployment} = open(
    'Deployment',
    undefined,
    {},
    {client: client as unknown as ClusterClient, signal: end.signal}
  )
  deployment.podChanged({...own, status: {phase: 'Pending'}}, true)
  deployment.podChanged(own, true)
  t.equal(await asked.promise, undefined)
})

t.test('failures in a row are those of one pod', async t => {
  const {deployment, ends} = open('Deployment')
  for (const [uid, containerID] of ['a1', 'b1', 'c1', 'a2', 'd1', 'e1', 'a3'].map(id => [id.slice(0, 1), id] as const))
    deployment.podChanged(pod(uid, {app: {exitCode: 1, containerID}}), false)
  await deployment.reports
  t.same(
    ends.map(exit => `${exit.pod} ${exit.failures}`),
    ['a 1', 'b 1', 'c 1', 'a 2', 'd 1', 'e 1', 'a 3']
  )
})

t.test('a Job without an exit code says what it died of', async t => {
  const {deployment} = open('Job')
  deployment.applied(live('1', 10), 'created')
  deployment.see(live('1', 20, {status: {failed: 1}}))
  t.equal(deployment.progress(), 'failed')
  t.equal(deployment.failure(), 'failed: its pod is gone')
  const conditions = [{type: 'Failed', status: 'True', reason: 'DeadlineExceeded', message: 'Job was active too long'}]
  deployment.see(live('1', 30, {status: {failed: 1, conditions}}))
  t.equal(deployment.failure(), 'failed: Job was active too long')
  const evicted = {...pod('a', {}), status: {phase: 'Failed', message: 'The node was low on memory.'}}
  deployment.podChanged(evicted, false)
  t.equal(deployment.failure(), 'failed: The node was low on memory.')
})

t.test('a pod that is seen before the server has answered is one of the new ones', async t => {
  const {deployment} = open('Job')
  deployment.deploying()
  deployment.podChanged(pod('a', {app: {exitCode: 0, containerID: 'a'}}), false)
  deployment.applied(live('1', 10), 'created')
  t.equal(deployment.progress(), 'completed')
})

t.test('an app that is not deployed yet has not started, whatever runs of it from before', async t => {
  for (const kind of ['Deployment', 'Job'] as const) {
    const {deployment} = open(kind)
    deployment.podChanged(pod('a', {app: {exitCode: 0, containerID: 'a'}}), true)
    t.notOk(deployment.hasStarted, kind)
    deployment.deploying()
    t.notOk(deployment.hasStarted, kind)
    deployment.applied(live('1', 10), 'unchanged')
    t.ok(deployment.hasStarted, kind)
  }
})

t.test('the first pod of an app is one, however many come before any of them has a container', async t => {
  const found: string[] = []
  const {deployment} = open('Deployment', (each, isFirst) => found.push(`${each.metadata.uid} ${isFirst}`))
  for (const uid of ['a', 'b', 'a']) deployment.podChanged(pod(uid, {}), false)
  t.same(found, ['a true', 'b false'])
})

t.test('a pod without a sidecar is a fault, unless the template has turned it off', t => {
  const plain = pod('a', {app: {exitCode: 0}})
  t.match(verdictOf(plain, 'app', 'kind'), {message: 'Dapr did not add a sidecar to "app" (pod a)'})
  const off = {...plain, metadata: {...plain.metadata, annotations: {'dapr.io/enabled': 'false'}}}
  t.equal(verdictOf(off, 'app', 'kind'), undefined)
  t.end()
})

t.test('a line of one pod that comes in pieces is not continued by another pod', async t => {
  const [over, shown] = [new AbortController(), new PassThrough({encoding: 'utf8'})]
  const streams = new Map(['one', 'two'].map(name => [name, new PassThrough()]))
  const pods = new Map<string, unknown>()
  const deployment = new AppDeployment({
    client: {
      open: async (_: string, path: string) => Promise.resolve(streams.get(path.split('/').at(-2) ?? '')),
      json: async (_: string, path: string) => Promise.resolve(pods.get(path.split('/').at(-1) ?? ''))
    } as unknown as ClusterClient,
    app: {id: 'app', workload: {kind: 'Deployment'}} as unknown as AppObjects,
    signal: over.signal,
    openLogs: async () =>
      Promise.resolve({app: {sink: ({text}: {text: string}) => void shown.write(text)}} as unknown as AppLogs),
    onPod: () => undefined,
    onExit: () => undefined
  })
  const print = async (name: string, text: string): Promise<unknown> => {
    streams.get(name)?.write(text)
    return once(shown, 'data')
  }
  for (const uid of ['one', 'two']) {
    const {status, ...rest} = pod(uid, {app: {exitCode: 0}})
    const [container] = status?.containerStatuses ?? []
    const running = {name: 'app', ready: true, restartCount: 0, image: '', ...container, containerID: uid}
    const now = {...rest, status: {containerStatuses: [{...running, state: {running: {startedAt: ''}}}]}}
    pods.set(uid, now)
    deployment.podChanged(now, false)
  }
  const [at, long] = ['2026-01-01T00:00:00.000000001Z', 'x'.repeat(70_000)]
  t.strictSame(await print('one', `${at} ${long}`), [long])
  t.strictSame(await print('two', `${at} short\n`), ['\nshort\n'])
  t.strictSame(await print('one', 'y\n'), ['y\n'])
  over.abort()
  for (const stream of streams.values()) stream.end()
})

t.test('an app whose sidecar is turned off, in any word of Dapr, may run without', async t => {
  for (const word of ['false', 'False', 'off', 'no', '0']) {
    const {metadata, ...others} = pod('a', {app: {exitCode: 0}})
    const off = {...others, metadata: {...metadata, annotations: {'dapr.io/enabled': word}}}
    t.equal(verdictOf(off, 'app', 'kind'), undefined, word)
  }
})

t.test('what a pod waits for is no init container that has done its work', async t => {
  const {deployment} = open('Deployment')
  const each = {restartCount: 0, image: ''}
  const {status: _status, ...others} = pod('a', {})
  const status = {
    initContainerStatuses: [{...each, name: 'mesh', ready: true, state: {terminated: {exitCode: 0}}}],
    containerStatuses: [{...each, name: 'app', ready: false, state: {running: {startedAt: ''}}}]
  }
  deployment.applied(live('1', 10), 'created')
  deployment.podChanged({...others, status}, false)
  t.equal(deployment.waitsFor(), 'container app runs, but is not ready')
})

t.test('an end with 0 is no failure, and ends a row of these', async t => {
  const {deployment, ends} = open('Deployment')
  for (const [index, exitCode] of [0, 0, 0, 0, 1, 1, 0, 1].entries())
    deployment.podChanged(pod('a', {app: {exitCode, containerID: `${index}`}}), false)
  await deployment.reports
  t.same(
    ends.filter(({end}) => end.exitCode === 1).map(({failures}) => failures),
    [1, 2, 1]
  )
})

t.test('a Job that is refused its pod is hindered for the reason that its newest event has', async t => {
  const asked: unknown[] = []
  const refusals = ['exceeded quota', 'violates PodSecurity']
  const list = async (path: string, {query}: Ask) => {
    asked.push([path, query?.['fieldSelector']])
    return Promise.resolve({items: refusals.map(message => ({message}))})
  }
  const client = {access: {namespace: 'shop'}, list} as unknown as ClusterClient
  const {deployment} = open('Job', undefined, {}, {client})
  deployment.deploying()
  t.equal(deployment.hindrance(), '', 'it is not there yet')
  deployment.applied(live('1', 10), 'created')
  t.not(deployment.hindrance(), '')
  t.equal(await deployment.whyHindered(), 'violates PodSecurity')
  t.same(asked, [['/api/v1/namespaces/shop/events', 'involvedObject.uid=1,reason=FailedCreate']])
  refusals.length = 0
  t.equal(await deployment.whyHindered(), '', 'no pod was refused yet')
  deployment.see({...live('1', 11), spec: {suspend: true}})
  t.equal(deployment.hindrance(), '', 'one that is suspended waits for its turn, though it was refused one before')
  deployment.see(live('1', 12))
  t.not(deployment.hindrance(), '')
  deployment.podChanged(pod('a', {}), false)
  t.equal(deployment.hindrance(), '')

  const blind = {
    access: client.access,
    list: async () => Promise.reject(new Error('forbidden'))
  } as unknown as ClusterClient
  const other = open('Job', undefined, {}, {client: blind}).deployment
  other.applied(live('1', 10), 'created')
  t.equal(await other.whyHindered(), '', 'events may not be read')
})
