import {mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t, {type Test} from 'tap'
import type {AppRuntime} from '../../../src/supervisor/app-runtime.ts'
import type {AppResources, ResourceSnapshot} from '../../../src/files/resources/app-resources.ts'
import {RunResources} from '../../../src/run/run-resources.ts'
import {limitAlone} from '../../rig/limit.ts'

await limitAlone()

interface Scene {
  /** The folder of resources. */
  readonly folder: string
  readonly resources: RunResources
  readonly open: (id: string) => Promise<AppResources>
  /** Resolves when they are read again. */
  readonly refreshed: () => Promise<void>
}

const endpoint = (url: string): string =>
  `apiVersion: dapr.io/v1alpha1\nkind: HTTPEndpoint\nmetadata: {name: one}\nspec: {baseUrl: "${url}"}\n`

const urlOf = ({endpoints}: ResourceSnapshot): string | undefined => endpoints[0]?.baseUrl

/** Resolves once an app has this URL. */
async function has(app: AppResources, url: string): Promise<void> {
  const {promise, resolve} = Promise.withResolvers<void>()
  const look = (snapshot: ResourceSnapshot): void => {
    if (urlOf(snapshot) === url) resolve()
  }
  const stop = app.onChange(look)
  look(app.snapshot)
  await promise
  stop()
}

/** Resources that are followed, in `folder/a.yaml`. */
async function scene(t: Test): Promise<Scene> {
  const root = mkdtempSync(join(tmpdir(), 'resources-'))
  const folder = join(root, 'r')
  mkdirSync(folder)
  writeFileSync(join(folder, 'a.yaml'), endpoint('http://first'))
  let again = Promise.withResolvers<void>()
  const reporter = {warn: (code: string, text: string): unknown => t.fail(`${code} ${text}`)}
  const resources = new RunResources(
    {env: {}, plan: {}, startedAt: Date.now(), reporter} as unknown as ConstructorParameters<typeof RunResources>[0],
    () => again.resolve()
  )
  t.teardown(async () => {
    await resources.close()
    rmSync(root, {recursive: true})
  })
  const plan = {folders: [folder], configFile: '', defaultFolder: '/none'}
  return {
    folder,
    resources,
    open: async id => resources.open({id, plan: {resources: plan}, wanted: {resources: plan}} as unknown as AppRuntime),
    refreshed: async () => {
      await again.promise
      again = Promise.withResolvers()
    }
  }
}

/** How many folders are followed. */
const followed = (): number => process.getActiveResourcesInfo().filter(name => name === 'FSEventWrap').length

t.test('what no app names any more is not followed', async t => {
  const {folder, resources, open} = await scene(t)
  const plan = {folders: [t.testdir({'b.yaml': endpoint('http://other')})], configFile: '', defaultFolder: '/none'}
  const other = {id: 'other', plan: {resources: plan}, wanted: {resources: plan}} as unknown as AppRuntime
  const shop = await open('shop')
  await resources.follow()
  const before = followed()
  await resources.open(other)
  t.ok(followed() > before)
  resources.appRemoved('other')
  for (let turns = 0; followed() > before && turns < 1000; turns++) await new Promise(setImmediate)
  t.equal(followed(), before)
  rmSync(folder, {recursive: true})
  resources.appRemoved('another')
  mkdirSync(folder)
  writeFileSync(join(folder, 'a.yaml'), endpoint('http://back'))
  await has(shop, 'http://back')
})

t.test('resources that are refused leave nothing behind: what is opened next counts', async t => {
  const folders = t.testdir({first: {}, next: {'a.yaml': endpoint('http://next')}})
  const warnings: string[] = []
  const reporter = {warn: (_: string, text: string): unknown => warnings.push(text)}
  const resources = new RunResources(
    {env: {}, plan: {}, startedAt: Date.now(), reporter} as unknown as ConstructorParameters<typeof RunResources>[0],
    () => undefined
  )
  const open = async (name: string): Promise<AppResources> => {
    const plan = {folders: [join(folders, name)], configFile: '', defaultFolder: '/none', variables: {}}
    return resources.open({id: 'shop', plan: {resources: plan}, wanted: {resources: plan}} as unknown as AppRuntime)
  }
  const refuse = (variable: string): void =>
    writeFileSync(join(folders, 'first/a.yaml'), endpoint(`http://\${${variable}:?is needed}`))
  refuse('ONE')
  await t.rejects(open('first'), /ONE/)
  t.match(warnings, [/ONE/])
  await open('next')
  t.equal(resources.snapshotOf('shop')?.endpoints[0]?.baseUrl, 'http://next')
  refuse('TWO')
  await resources.edited()
  t.equal(warnings.length, 1, 'the app has no such file')
  await resources.close()
})

t.test('each save is a reason to read: what was read last may be what the file held in between', async t => {
  const {folder, resources, open, refreshed} = await scene(t)
  await open('shop')
  await resources.follow()
  for (let times = 1; times <= 3; times++) {
    writeFileSync(join(folder, 'a.yaml'), endpoint('http://first'))
    await refreshed()
    await pause(100) // a watch that compares would have hashed it by now; nothing fails where it has not
  }
})

t.test('another folder in place of that of the resources: its files count', async t => {
  const {folder, resources, open} = await scene(t)
  const shop = await open('shop')
  await resources.follow()
  for (const [index, url] of ['http://second', 'http://third'].entries()) {
    mkdirSync(`${folder}.new`)
    writeFileSync(join(`${folder}.new`, 'a.yaml'), endpoint(url))
    renameSync(folder, `${folder}.${index}`)
    renameSync(`${folder}.new`, folder)
    await has(shop, url)
  }
  writeFileSync(join(folder, 'a.yaml'), endpoint('http://fourth'))
  await has(shop, 'http://fourth')
})

for (const [how, exchange] of [
  [
    'removed, and later made again',
    async (folder: string) => {
      rmSync(folder, {recursive: true})
      await pause(200)
      mkdirSync(folder)
    }
  ],
  [
    'replaced by another one',
    (folder: string) => {
      mkdirSync(`${folder}-new`)
      rmSync(folder, {recursive: true})
      renameSync(`${folder}-new`, folder)
    }
  ]
] as const)
  t.test(`the first resource of a folder that was ${how} is read`, async t => {
    const {folder, resources, open} = await scene(t)
    rmSync(join(folder, 'a.yaml'))
    const app = await open('shop')
    await resources.follow()
    await exchange(folder)
    await pause(200)
    writeFileSync(join(folder, 'b.yaml'), endpoint('http://first'))
    await has(app, 'http://first')
  })
