import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {AppComponents} from '../../../../src/dapr/components/app-components.ts'
import {ComponentSet} from '../../../../src/dapr/components/component-set.ts'
import {componentResource} from '../../../rig/component-resource.ts'

const connect = async (): Promise<never> => Promise.reject(new Error('there is no Redis'))

const openComponents = (env: Readonly<Record<string, string>> = {}) => {
  const lines: string[] = []
  const set = new ComponentSet({env, redis: {connect}})
  const log = (_: string, text: string): void => void lines.push(text)
  const own = new AppComponents({appId: 'shop', folder: '/', env, set, log})
  t.teardown(async () => own.close())
  return {own, lines}
}

t.test('a component whose errors are to be ignored is told of, and keeps no app from being started', async t => {
  const {own} = openComponents()
  const broken = componentResource('store', 'state.in-memory', {primaryEncryptionKey: ''})
  t.match(await own.follow([{...broken, ignoresErrors: true}]), [{resource: {name: 'store'}, isHarmless: true}])
})

t.test('a state store is for actors by each of Dapr’s words for true', async t => {
  const {own} = openComponents()
  await own.follow([componentResource('store', 'state.in-memory', {actorStateStore: 'yes'})])
  t.equal((await own.actorStore())?.name, 'store')
})

t.test('why a component cannot be opened does not tell what its secrets hold', async t => {
  const hidden = 'hooks.example.com/T0/s3cr3t'
  const {own, lines} = openComponents({hook: hidden})
  const secrets = componentResource('vault', 'secretstores.local.env', {})
  const hook = componentResource('hook', 'bindings.http', {url: ''})
  const properties = hook.properties.map(each => ({...each, secret: {name: 'hook', key: 'hook'}}))
  const [failure] = await own.follow([{...hook, properties, secretStore: 'vault'}, secrets])
  t.equal(failure?.fault.message, 'url must begin with http:// or https://, and not "***"')
  t.notMatch(lines.join('\n') + String(own.failed.get('hook')), hidden)
})

/** A store of secrets whose own prefix is to be in another one. */
const storeIn = (name: string, secretStore: string): ReturnType<typeof componentResource> => {
  const resource = componentResource(name, 'secretstores.local.env', {prefix: ''})
  const properties = resource.properties.map(each => ({...each, secret: {name: 'prefix', key: 'prefix'}}))
  return {...resource, secretStore, properties}
}

t.test('secret stores that need themselves, or each other, are not there for that', async t => {
  const {own, lines} = openComponents()
  t.match(await own.follow([storeIn('own', 'own')]), [
    {fault: {message: 'secret store own is not loaded'}, isHarmless: true}
  ])
  t.strictSame(lines, ["Component own references a secret store that isn't loaded: own"])
  t.strictSame(await own.follow([storeIn('first', 'second'), storeIn('second', 'first')]), [])
  t.strictSame(own.names('secretstores'), ['first', 'second'])
})

t.test('secret stores find each other also after one that cannot be opened, whatever needs them', async t => {
  const {own, lines} = openComponents()
  const broken = componentResource('broken', 'secretstores.unknown', {})
  const plain = componentResource('plain', 'secretstores.local.env', {})
  const needing = (name: string, secretStore: string): ReturnType<typeof componentResource> => ({
    ...storeIn(name, secretStore),
    type: 'state.in-memory'
  })
  const all = [broken, storeIn('inner', 'plain'), plain, needing('first', 'plain'), needing('second', 'inner')]
  t.match(await own.follow(all), [{resource: {name: 'broken'}}])
  t.notMatch(lines.join(), "isn't loaded")
})

t.test('a secret store that is being opened is there for one that a call opens meanwhile', async t => {
  const {own, lines} = openComponents({prefix: 'SHOP_'})
  const base = componentResource('base', 'secretstores.local.env', {})
  const following = own.follow([storeIn('plain', 'base'), base, storeIn('inner', 'plain')])
  await own.find('secretstores', 'inner')
  t.strictSame(await following, [])
  t.notMatch(lines.join(), "isn't loaded")
})

t.test('a component is not opened without its secrets, but once their store can be opened', async t => {
  const {own} = openComponents()
  const secretsFile = join(t.testdir({}), 'secrets.json')
  const secrets = {...componentResource('secrets', 'secretstores.local.file', {secretsFile}), isDefault: true}
  const web = {...storeIn('web', 'secrets'), type: 'state.in-memory', isDefault: true}
  t.strictSame(await own.follow([secrets, web]), [])
  await t.rejects(async () => own.find('state', 'web'), {message: 'secret store secrets is not loaded'})
  writeFileSync(secretsFile, '{}')
  t.match(await own.find('state', 'web'), {name: 'web'})
})

t.test('one that the template names, or with secrets in a store that needs another, opens later, too', async t => {
  for (const [how, store] of [
    ['named', 'secrets'],
    ['chained', 'inner']
  ] as const) {
    const {own} = openComponents()
    const secretsFile = join(t.testdir({}), `${how}.json`)
    const secrets = {...componentResource('secrets', 'secretstores.local.file', {secretsFile}), isDefault: true}
    const inner = {...storeIn('inner', 'secrets'), isDefault: true}
    const web = {...storeIn('web', store), type: 'state.in-memory'}
    t.match(await own.follow([secrets, inner, web]), [{resource: {name: 'web'}, isHarmless: true}], how)
    await t.rejects(async () => own.find('state', 'web'), {message: `secret store ${store} is not loaded`})
    writeFileSync(secretsFile, '{}')
    t.match(await own.find('state', 'web'), {name: 'web'}, how)
  }
})
