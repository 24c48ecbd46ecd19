/**
 * The same on any cluster: that of PILLION_TEST_KUBECONFIG (kind, minikube, k3d …, with Dapr), else the API server with its
 * stand-ins. It makes a namespace of its own and leaves nothing.
 */
import {execFileSync} from 'node:child_process'
import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {Cluster, skip} from './rig/cluster.ts'
import type {Live} from './rig/kube.ts'

const GIVEN = process.env['PILLION_TEST_KUBECONFIG']
/** Writes a line when it starts, and listens at port 80. */
const IMAGE = 'nginx:alpine'

t.test('a template on this cluster', {skip: GIVEN === undefined && skip}, async t => {
  t.comment(GIVEN ?? 'an API server with stand-ins')
  const KUBECONFIG = GIVEN ?? (await Cluster.open(t)).api.kubeconfig('any')
  const env = {...process.env, KUBECONFIG}
  const kubectl = (...args: readonly string[]): string => execFileSync('kubectl', args, {env, encoding: 'utf8'})
  const pods = (namespace: string): readonly Live[] =>
    (JSON.parse(kubectl('get', 'pods', '-n', namespace, '-o', 'json')) as {readonly items: readonly Live[]}).items
  const namespace = `pillion-test-${process.pid}`
  kubectl('create', 'namespace', namespace)
  t.teardown(() => void kubectl('delete', 'namespace', namespace, '--wait=false'))
  const rig = await openRig(t)
  const app = {command: undefined, containerImage: IMAGE, containerImagePullPolicy: 'IfNotPresent', appPort: 80}
  await rig.template(
    [
      {...app, appID: 'stock', createService: true, kubernetes: {service: 'ClusterIP'}},
      {...app, appID: 'shop', dependsOn: ['stock'], appMaxConcurrency: 7}
    ],
    {},
    {name: 'any'}
  )
  const run = (...args: readonly string[]) =>
    rig.pillion(['run', '-k', '-f', '.', '--yes', '-n', namespace, ...args], {env: {KUBECONFIG}})
  const slow = {limitMs: 150_000} // a real cluster pulls images
  const first = run()
  await first.waitForLine('2 apps ready', slow)
  for (const id of ['stock', 'shop']) await first.waitForLine(`== APP - ${id} == `, slow)
  const items = pods(namespace)
  for (const id of ['stock', 'shop']) {
    const pod = items.find(each => each.metadata.labels?.['app'] === id)
    const {initContainers = [], containers = []} = pod?.spec ?? {}
    const sidecar = [...initContainers, ...containers].find(({name}) => name === 'daprd')
    t.match(
      sidecar?.args?.join(' '),
      new RegExp(`--app-id[ =]${id} .*--app-port[ =]80`),
      'the sidecar got its arguments'
    )
  }
  await first.end('SIGKILL')
  const second = run()
  await second.waitForLine('2 apps ready', slow)
  const {stdout} = await rig.run(['list', '-k', '--namespace', namespace, '-o', 'json'], {env: {KUBECONFIG}})
  t.match(JSON.parse(stdout), [
    {namespace, appPort: '80'},
    {namespace, appPort: '80'}
  ])
  t.same(await second.end('SIGINT'), {code: 0, signal: null})
  t.equal(kubectl('get', 'deployments,replicasets', '-n', namespace, '-o', 'name'), '')
})
