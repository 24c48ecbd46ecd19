import {componentType} from '../../../../src/dapr/components/block-types.ts'
import {isDaprType} from '../../../../src/files/resources/component-types.ts'
import t from 'tap'
import {DaprdError, type DaprdAccess} from '../../../../src/dapr/components/daprd/daprd-access.ts'
import {secretStore} from '../../../../src/dapr/components/daprd/stores.ts'
import {componentResource} from '../../../rig/component-resource.ts'
import {topicPrefixOf, propertyValues} from '../../../../src/dapr/components/component-values.ts'
import type {ComponentResource} from '../../../../src/files/resources/components.ts'

const place = {file: 'bus.yaml', line: 1, column: 1, source: ''}

const resource = (value: string): ComponentResource => ({
  name: 'bus',
  namespace: '',
  scopes: [],
  type: 'pubsub.redis',
  isOfDapr: isDaprType('pubsub.redis'),
  capabilities: componentType('pubsub.redis')?.capabilities,
  version: 'v1',
  properties: [{name: 'consumerID', value, secret: undefined, envRef: '', place}],
  initTimeoutMs: 5000,
  ignoresErrors: false,
  secretStore: '',
  isDefault: false,
  place,
  typePlace: place
})

const nothing = (): undefined => undefined

const filled = async (value: string, env: Readonly<Record<string, string>> = {}): Promise<string> => {
  const values = await propertyValues(resource(value), {
    appId: 'shop',
    env,
    secretOf: nothing,
    warn: nothing,
    error: nothing
  })
  return values?.[0]?.value ?? ''
}

t.test('what stands in braces is filled in, as Dapr does it', async t => {
  t.equal(await filled('{appID}-{appID}'), 'shop-shop')
  t.equal(await filled('{namespace}'), 'default.shop')
  t.equal(await filled('{namespace}', {NAMESPACE: 'blue'}), 'blue.shop')
  t.equal(await filled('{podName}', {POD_NAME: 'pod-1'}), 'pod-1')
  const [first, second] = (await filled('{uuid} {uuid}')).split(' ')
  t.match(first, /^[\da-f-]{36}$/)
  t.not(first, second)
  t.equal(await filled('{other}'), '{other}')
})

t.test('a name with a dollar is filled in as it is', async t => {
  t.equal(await filled('{podName}-{namespace}', {POD_NAME: "$&$'", NAMESPACE: '$$'}), "$&$'-$$.shop")
})

t.test('a pod without a name is a fault of the property', async t => {
  const message = 'failed to parse metadata: property consumerID refers to {podName} but podName is not set'
  await t.rejects(filled('{podName}'), {message, place})
})

t.test('topics begin with the namespace where the metadata have it', async t => {
  t.equal(topicPrefixOf(resource('{namespace}'), {NAMESPACE: 'blue'}), 'blue')
  t.equal(topicPrefixOf(resource('{namespace}'), {}), 'default')
  t.equal(topicPrefixOf(resource('{appID}'), {NAMESPACE: 'blue'}), '')
})

/** The value of a property whose secret daprd cannot give, and what is logged. */
async function unfilled(why: Error): Promise<readonly [value: string | undefined, errors: readonly string[]]> {
  const vault = secretStore({
    resource: componentResource('vault', 'secretstores.hashicorp.vault', {}),
    capabilities: [],
    access: {call: async () => Promise.reject(why)} as unknown as DaprdAccess
  })
  const errors: string[] = []
  const properties = [{name: 'token', value: '', secret: {name: 'token', key: 'token'}, envRef: '', place}]
  const values = await propertyValues(
    {...resource(''), secretStore: 'vault', properties},
    {
      appId: 'shop',
      env: {},
      secretOf: async (_, name) => vault.get(name),
      warn: nothing,
      error: text => errors.push(text)
    }
  )
  return [values?.[0]?.value, errors]
}

t.test('a secret is empty where daprd says that there is none, and unknown where it does not answer', async t => {
  t.strictSame(await unfilled(new DaprdError(13, 'no token')), ['', ['Error getting secret: Error: no token']])
  await t.rejects(unfilled(new Error('daprd has ended')), {name: 'ComponentFault', message: 'daprd has ended'})
})
