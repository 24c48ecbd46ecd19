import {existsSync, readdirSync, readFileSync, statSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {parseAllDocuments} from 'yaml'
import type {KubernetesObject} from '../../src/packages/kubernetes/object.ts'
import {copyExample} from '../rig/example.ts'
import {component} from '../rig/resource-files.ts'
import {openRig} from '../rig/rig.ts'
import {kubernetesChecks} from '../../src/packages/kubernetes/test/schemas.ts'

const SHOP = {
  version: 1,
  name: 'shop',
  common: {resourcesPath: './resources'},
  apps: [
    {appID: 'shop', appDirPath: '.', containerImage: 'example/shop:1', dependsOn: ['stock']},
    {appID: 'stock', appDirPath: '.', containerImage: 'example/stock:1', appPort: 3000, envFile: '.env'}
  ]
}

const FILES = {
  'dapr.yaml': JSON.stringify(SHOP),
  '.env': 'TOKEN=s3cret\n',
  'resources/store.yaml': component('store', 'state.redis', {redisHost: 'redis:6379'})
}

t.test('export kubernetes writes files in start order, the same ones each time, without any path', async t => {
  const rig = await openRig(t)
  await rig.write(FILES)
  const {code, stdout, stderr} = await rig.run(['export', 'kubernetes', '-o', 'k8s'])
  t.equal(code, 0)
  t.equal(stdout, '✅  4 files written to k8s: kubectl apply -f k8s\n')
  t.equal(
    stderr,
    '⚠  01-stock-env.yaml: readable only by you, and it holds the values of .env files; do not commit it\n'
  )
  const folder = join(rig.folder, 'k8s')
  const textOf = (name: string): string => readFileSync(join(folder, name), 'utf8')
  const names = readdirSync(folder).toSorted()
  t.strictSame(names, ['00-resources.yaml', '01-stock-env.yaml', '01-stock.yaml', '02-shop.yaml'])
  t.equal(statSync(join(folder, '01-stock-env.yaml')).mode & 0o777, 0o600)
  const texts = names.map(textOf)
  for (const text of texts) {
    t.notMatch(text, rig.folder)
    t.notMatch(text, 'namespace')
  }
  await rig.run(['export', 'kubernetes', '-o', 'k8s'])
  t.strictSame(names.map(textOf), texts)
  // in another folder, from there
  await rig.write(Object.fromEntries(Object.entries(FILES).map(([name, text]) => [`elsewhere/${name}`, text])))
  t.match(await rig.run(['export', 'kubernetes', '-o', '../other'], {folder: 'elsewhere'}), {code: 0})
  t.strictSame(
    names.map(name => readFileSync(join(rig.folder, 'other', name), 'utf8')),
    texts
  )
  const {stdout: all} = await rig.run(['export', 'kubernetes', '-n', 'production'])
  t.equal(all.match(/^ {2}namespace: production$/gm)?.length, 4)
})

t.test('export kubernetes removes files of an earlier export, and leaves those of others alone', async t => {
  const rig = await openRig(t)
  await rig.write({...FILES, 'k8s/05-mine.yaml': 'kind: Mine\n'})
  t.match(await rig.run(['export', 'kubernetes', '-o', 'k8s']), {code: 0})
  const {apps, ...rest} = SHOP
  await rig.write({'dapr.yaml': JSON.stringify({...rest, apps: apps.slice(1)})})
  t.match(await rig.run(['export', 'kubernetes', '-o', 'k8s']), {code: 0})
  t.strictSame(readdirSync(join(rig.folder, 'k8s')).toSorted(), [
    '00-resources.yaml',
    '01-stock-env.yaml',
    '01-stock.yaml',
    '05-mine.yaml'
  ])
  await rig.write({'other/01-stock.yaml': 'kind: Mine\n'})
  t.match(await rig.run(['export', 'kubernetes', '-o', 'other']), {
    code: 1,
    stderr: /01-stock\.yaml was not written by an export/
  })
  t.strictSame(readdirSync(join(rig.folder, 'other')), ['01-stock.yaml'])
})

t.test('export asks no cluster, and reads no kubeconfig', async t => {
  const rig = await openRig(t)
  await rig.write({...FILES, config: 'not: [valid'})
  const env = {KUBECONFIG: join(rig.folder, 'config'), KUBERNETES_SERVICE_HOST: '192.0.2.1', PATH: ''}
  t.match(await rig.run(['export', 'kubernetes'], {env}), {code: 0, stdout: /kind: Deployment/})
})

t.test('export: wrong words, a wrong folder and a wrong template are told', async t => {
  const rig = await openRig(t)
  await rig.write({...FILES, file: ''})
  t.match(await rig.run(['export']), {code: 255, stdout: 'expected a format: kubernetes or compose\n'})
  t.match(await rig.run(['export', 'helm']), {code: 255, stdout: /unknown format "helm"/})
  t.match(await rig.run(['export', 'kubernetes', '-n', 'My_Space']), {code: 1, stderr: /"My_Space" is not a namespace/})
  t.match(await rig.run(['export', 'kubernetes', '-o', 'file']), {code: 1, stderr: /the export cannot be written: /})
  await rig.write({'dapr.yaml': 'version: 1\napps: [{appID: Front_End, appDirPath: ., createService: true}]\n'})
  const {code, stdout, stderr} = await rig.run(['export', 'kubernetes', '-o', 'k8s'])
  t.equal(code, 1)
  t.match(stdout, /^❌ {2}Error getting apps from config file:\n {2}app "Front_End": the id cannot name objects/)
  t.match(stdout, /\n {2}app "Front_End" has no containerImage\n {2}app "Front_End": createService needs an appPort\n/)
  t.match(stderr, /dapr\.yaml:2:16\n/)
  t.match(stderr, /write front-end, wherever the app is called/)
  t.notOk(existsSync(join(rig.folder, 'k8s')))
})

t.test('export compose writes a file with a sidecar for each app, and overwrites only its own', async t => {
  const rig = await openRig(t)
  await rig.write({...FILES, mine: 'services: {}\n'})
  t.match(await rig.run(['export', 'compose', '-o', 'compose.yaml']), {
    code: 0,
    stdout: '✅  written to compose.yaml: docker compose -f compose.yaml up\n',
    stderr: ''
  })
  const text = readFileSync(join(rig.folder, 'compose.yaml'), 'utf8')
  t.match(text, /^# Written by pillion export compose: .*\nname: shop\nservices:\n {2}stock:\n/)
  t.match(text, / {2}shop-dapr:\n {4}image: daprio\/daprd:1\.18\.0\n/)
  t.match(text, / {6}- \.\/resources:\/dapr\/resources\/0:ro\n/)
  t.notMatch(text, rig.folder)
  t.notMatch(text, 's3cret')
  t.match(await rig.run(['export', 'compose', '-o', 'compose.yaml', '--dapr', '1.17.1']), {code: 0})
  t.match(readFileSync(join(rig.folder, 'compose.yaml'), 'utf8'), 'daprio/daprd:1.17.1')
  t.match(await rig.run(['export', 'compose', '-o', 'mine']), {code: 1, stderr: /mine was not written by an export/})
  t.match(await rig.run(['export', 'compose', '-n', 'shop']), {code: 1, stderr: /a compose file has no namespace/})
  t.match(await rig.run(['export', 'compose', '--dapr', 'a b']), {code: 1, stderr: /"a b" is not a version of Dapr/})
})

const names = (text: string): readonly string[] => [...text.matchAll(/image: (.*)/g)].map(([, name = '']) => name)

t.test('export knows profiles, several files and variables of the template', async t => {
  const rig = await openRig(t)
  const base = {
    version: 1,
    interpolate: true,
    apps: [{appID: 'shop', appDirPath: '.', containerImage: 'example/shop:${TAG}'}]
  }
  const tool = {
    version: 1,
    apps: [{appID: 'tool', appDirPath: '.', containerImage: 'example/tool', profiles: ['debug']}]
  }
  await rig.write({'dapr.yaml': JSON.stringify(base), 'tool.yaml': JSON.stringify(tool)})
  const run = async (...words: readonly string[]): Promise<string> =>
    (await rig.run(['export', 'kubernetes', ...words], {env: {TAG: '7'}})).stdout
  t.strictSame(names(await run()), ['example/shop:7'])
  t.strictSame(names(await run('-f', 'dapr.yaml', '-f', 'tool.yaml')), ['example/shop:7'])
  t.strictSame(names(await run('-f', 'dapr.yaml', '-f', 'tool.yaml', '--profile', 'debug')), [
    'example/shop:7',
    'example/tool'
  ])
  t.match(await rig.run(['export', 'kubernetes', '--profile', 'nothing']), {code: 1})
})

t.test('validate finds mistakes in the key kubernetes; run goes on', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', command: ['true'], kubernetes: {replica: 2}}])
  const {code, stdout, stderr} = await rig.run(['validate'])
  t.equal(code, 1)
  t.match(stdout, 'unknown key replica in kubernetes')
  t.match(stderr, 'did you mean replicas?')
  t.match(JSON.parse((await rig.run(['validate', '-o', 'json'])).stdout), {
    errors: [{message: 'unknown key replica in kubernetes'}]
  })
  t.match(await rig.run(['run', '-f', '.']), {code: 0})
})

t.test('the example shop is ready for a cluster: with its second file nothing of it is local', async t => {
  const rig = await openRig(t)
  const {folder} = await copyExample(rig, 'shop')
  const {code, stdout, stderr} = await rig.run(['export', 'kubernetes', '-f', 'dapr.yaml', '-f', 'cluster.yaml'], {
    folder: 'shop'
  })
  t.equal(code, 0)
  t.equal(
    stderr,
    `⚠  command, autoPort, watch: no meaning in a pod, left out
⚠  cluster/redis.yaml:3:7: Deployment "redis" is left out: it is no resource of Dapr (apply it yourself)
⚠  cluster/redis.yaml:19:7: Service "redis" is left out: it is no resource of Dapr (apply it yourself)
`
  )
  const objects = parseAllDocuments(stdout).map(document => document.toJS() as KubernetesObject)
  t.strictSame(
    objects.map(({kind, metadata}) => `${kind} ${metadata.name}`),
    ['Component stockstore', 'Component orders', 'Deployment stock', 'Job shop']
  )
  for (const object of objects) for (const [version, check] of kubernetesChecks()) t.equal(check(object), '', version)
  for (const app of ['stock', 'shop']) t.ok(existsSync(join(folder, app, 'Dockerfile')))
})
