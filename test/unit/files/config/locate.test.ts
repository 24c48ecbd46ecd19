import {join} from 'node:path'
import t from 'tap'
import {defaultResources} from '../../../../src/files/config/locate.ts'
import {loadIn, openShop, type Files, type Setting} from './shop.ts'

interface Case {
  readonly common?: string
  readonly app?: string
  readonly files?: Files
  readonly env?: Setting['env']
}

/** The resources of the app `orders`, below the shop's folder. */
const resources = (test: Parameters<typeof openShop>[0], {common = '', app = '', files = {}, env = {}}: Case) => {
  const folder = openShop(test, `version: 1\ncommon: {${common}}\napps: [{appDirPath: ./orders, ${app}}]`, files)
  const given = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value.replace('$', folder)]))
  const {folders, configFile} = loadIn(folder, {env: given}).plan.apps[0]?.resources ?? {folders: [], configFile: ''}
  return {
    folders: folders.map(path => path.replace(`${folder}/`, '')),
    configFile: configFile.replace(`${folder}/`, '')
  }
}

t.test('folders of resources: the own ones, the local one, those of common, the default', async t => {
  const own: Files = {orders: {a: {}, b: {}, '.dapr': {resources: {}}}, shared: {}}
  t.strictSame(
    resources(t, {
      common: 'resourcesPath: shared',
      app: 'resourcesPath: a, resourcesPaths: [b, ../shared, b]',
      files: own
    }).folders,
    ['orders/b', 'shared', 'orders/b', 'orders/a']
  )
  t.strictSame(resources(t, {common: 'resourcesPath: shared', files: own}).folders, ['orders/.dapr/resources'])
  t.strictSame(resources(t, {common: 'resourcesPath: shared', files: {shared: {}}}).folders, ['shared'])
  t.strictSame(resources(t, {common: 'resourcesPath: a, resourcesPaths: [./b]', files: {a: {}, b: {}}}).folders, [
    'b',
    'a'
  ])
  t.strictSame(resources(t, {}).folders, ['home/.dapr/components'])
  t.strictSame(
    resources(t, {common: 'resourcesPath: shared', app: 'resourcesPaths: []', files: {shared: {}}}).folders,
    ['shared']
  )
})

t.test('the Configuration: the own one, the local one, that of common, the default where there is one', async t => {
  const files: Files = {'common.yaml': '', orders: {'own.yaml': '', '.dapr': {'config.yaml': ''}}}
  const usual: Files = {home: {'.dapr': {'config.yaml': ''}}}
  t.equal(
    resources(t, {common: 'configFilePath: common.yaml', app: 'configFilePath: own.yaml', files}).configFile,
    'orders/own.yaml'
  )
  t.equal(resources(t, {common: 'configFilePath: common.yaml', files}).configFile, 'orders/.dapr/config.yaml')
  t.equal(
    resources(t, {common: 'configFilePath: common.yaml', files: {'common.yaml': '', ...usual}}).configFile,
    'common.yaml'
  )
  t.equal(resources(t, {files: usual}).configFile, 'home/.dapr/config.yaml')
  t.equal(resources(t, {}).configFile, '')
})

t.test("Dapr's folder: the app's runtimePath, that of common, DAPR_RUNTIME_PATH, the home", async t => {
  const files: Files = {orders: {own: {}}, shared: {}, set: {}}
  const env = {DAPR_RUNTIME_PATH: '$/set'}
  const common = 'runtimePath: ./shared'
  t.strictSame(resources(t, {common, app: 'runtimePath: own', files, env}).folders, ['orders/own/.dapr/components'])
  t.strictSame(resources(t, {common, files, env}).folders, ['shared/.dapr/components'])
  t.strictSame(resources(t, {files, env}).folders, ['set/.dapr/components'])
  t.strictSame(resources(t, {env: {DAPR_RUNTIME_PATH: ' '}}).folders, ['home/.dapr/components'])
})

t.test('a path may be absolute or start at the home', async t => {
  t.strictSame(resources(t, {app: 'resourcesPaths: [/, ~/mine]', files: {home: {mine: {}}}}).folders, [
    '/',
    'home/mine'
  ])
  t.strictSame(resources(t, {app: 'resourcesPath: "~"', files: {orders: {'~': {}}}}).folders, ['orders/~'])
})

t.test('an app may lie anywhere, and a path through it stays as it was written', async t => {
  const folder = openShop(
    t,
    'version: 1\napps: [{appDirPath: ~/shop}, {appDirPath: /}, {appDirPath: ./orders/../checkout}]',
    {home: {shop: {}}}
  )
  t.strictSame(
    loadIn(folder).plan.apps.map(app => app.folder),
    [join(folder, 'home/shop'), '/', join(folder, 'checkout')]
  )
})

t.test('without a template the local resources count, then the default', async t => {
  const folder = t.testdir({a: {'.dapr': {resources: {}}}, b: {}})
  const surroundings = {home: folder, env: {}}
  t.strictSame(defaultResources(join(folder, 'a'), surroundings).folders, [join(folder, 'a/.dapr/resources')])
  t.strictSame(defaultResources(join(folder, 'b'), surroundings).folders, [join(folder, '.dapr/components')])
})
