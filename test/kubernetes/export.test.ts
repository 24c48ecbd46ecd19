import {execFile} from 'node:child_process'
import {join} from 'node:path'
import {promisify} from 'node:util'
import t from 'tap'
import {stringify} from 'yaml'
import {kubernetesFiles, writeFiles} from '../../src/packages/kubernetes/write-files.ts'
import {KEYS, SETTING} from '../../src/packages/kubernetes/test/every-key.ts'
import {objectsIn, orders} from '../../src/packages/kubernetes/test/shop.ts'
import {Cluster, skip, type Shop} from './rig/cluster.ts'

const execute = promisify(execFile)

/** `kubectl`, with a kubeconfig and a cache of its own. */
const kubectl = async (shop: Shop, ...args: readonly string[]): Promise<string> => {
  const cache = join(shop.rig.home, 'kube-cache')
  const env = {...process.env, ...shop.env, HOME: shop.rig.home}
  return (await execute('kubectl', ['--cache-dir', cache, ...args], {env, cwd: shop.rig.folder})).stdout
}

const hasKubectl = await execute('kubectl', ['version', '--client']).then(
  () => true,
  () => false
)

t.test('exports on a cluster', {skip: skip === false && !hasKubectl ? 'kubectl is missing' : skip}, async t => {
  const cluster = await Cluster.open(t)

  t.test('kubectl apply -f takes what export kubernetes writes, strictly; a second time changes nothing', async t => {
    const shop = await cluster.shop(t)
    await shop.rig.write({
      '.env': 'TOKEN=s3cret\n',
      'config.yaml':
        'apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: {name: tracing}\nspec: {tracing: {samplingRate: "1"}}\n',
      'resources/store.yaml': stringify({
        apiVersion: 'dapr.io/v1alpha1',
        kind: 'Component',
        metadata: {name: 'store'},
        spec: {type: 'state.redis'}
      })
    })
    await shop.template(
      [
        {appID: 'stock', appPort: 3000, createService: true, envFile: '../.env', dependsOn: {migrate: 'completed'}},
        {appID: 'shop', dependsOn: ['stock'], kubernetes: {patch: {spec: {paused: true}}}},
        {appID: 'migrate'}
      ],
      {resourcesPath: './resources', configFilePath: './config.yaml'}
    )
    t.match(await shop.pillion('export', 'kubernetes', '-o', 'k8s'), {code: 0})
    const apply = async (): Promise<readonly string[]> =>
      (await kubectl(shop, 'apply', '-f', 'k8s', '--validate=strict')).trim().split('\n')
    t.strictSame(await apply(), [
      'component.dapr.io/store created',
      'configuration.dapr.io/tracing created',
      'job.batch/migrate created',
      'secret/stock-env created',
      'service/stock created',
      'deployment.apps/stock created',
      'deployment.apps/shop created'
    ])
    t.ok((await apply()).every(line => line.endsWith(' unchanged')))
    t.equal(await kubectl(shop, 'get', 'secret', 'stock-env', '-o', 'jsonpath={.data.TOKEN}'), 'czNjcmV0')
  })

  t.test('the API server takes what every key of a template makes', async t => {
    const shop = await cluster.shop(t)
    for (const [index, [key, lines]] of Object.entries(KEYS).entries()) {
      const objects = await objectsIn(t, orders(...lines), SETTING)
      const folder = join(shop.rig.folder, index.toString())
      writeFiles(folder, kubernetesFiles(objects))
      await t.resolves(kubectl(shop, 'apply', '-f', folder, '--dry-run=server', '--validate=strict'), key)
    }
  })
})
