import t from 'tap'
import {componentTypes} from '../../scripts/ledger.ts'
import {componentType} from '../../src/dapr/components/block-types.ts'
import {Properties} from '../../src/dapr/components/properties.ts'
import {isBuilt, isForDaprd} from '../../src/files/resources/component-support.ts'
import {splitType, daprTypes} from '../../src/files/resources/component-types.ts'
import {readComponents, type ComponentResource} from '../../src/files/resources/components.ts'
import {parseResourceFile} from '../../src/files/resources/resource-file.ts'

function read(type: string): ComponentResource {
  const text = `{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: a}, spec: {type: ${type}}}`
  const [component] = readComponents(parseResourceFile({file: 'a.yaml', text}), componentType)
  if (component === undefined) throw new Error(`no Component of ${type}`)
  return component
}

/** A category, and the kinds in each column. */
const rows = new Map(componentTypes().map(({category, columns}) => [category, columns]))

t.test('the table of component types in the ledger has each type of Dapr once, where it belongs', async t => {
  const categories = [...new Set(daprTypes().map(type => splitType(type)[0]))]
  t.same([...rows.keys()].toSorted(), categories.toSorted())
  for (const category of categories) {
    const [here = [], byServer = [], byDaprd = [], not = []] = rows.get(category) ?? []
    const kinds = daprTypes().filter(type => splitType(type)[0] === category)
    const kindsOf = (fits: (type: string) => boolean): readonly string[] =>
      kinds
        .filter(fits)
        .map(type => splitType(type)[1])
        .toSorted()
    t.same(
      [...here, ...byServer].toSorted(),
      kindsOf(type => isBuilt(read(type))),
      `${category}: ours`
    )
    t.same(
      byDaprd.toSorted(),
      kindsOf(type => isForDaprd(read(type), 'needed')),
      `${category}: by daprd`
    )
    t.same(
      not.toSorted(),
      kindsOf(type => !isBuilt(read(type)) && !isForDaprd(read(type), 'needed')),
      `${category}: not`
    )
  }
})

/** Reads what it is asked for, and notes the names. */
class NotedProperties extends Properties {
  readonly names = new Set<string>()

  override text(name: string): string {
    this.names.add(name)
    return super.text(name)
  }
}

const connect = async (): Promise<never> => Promise.reject(new Error('it is not there'))

const NOWHERE = {connectionString: 'host=127.0.0.1 port=1'}
const VALUES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'bindings.cron': {schedule: '@every 1h'},
  'bindings.http': {url: 'http://localhost'},
  'bindings.postgresql': NOWHERE,
  'configuration.postgresql': {...NOWHERE, table: 'settings'},
  'pubsub.rabbitmq': {hostname: '127.0.0.1:1'},
  'state.postgresql': NOWHERE,
  'state.sqlite': {url: ':memory:'}
}

t.test('no property that a type reads is said to have no effect', async t => {
  const place = {file: 'a.yaml', line: 1, column: 1, source: ''}
  for (const type of daprTypes()) {
    const found = componentType(type)
    // Kafka would look for its brokers for long
    if (found === undefined || type.endsWith('.kafka')) continue
    const {load, properties: known} = found
    const given = Object.entries({key: 'key', redisHost: 'localhost', ...VALUES[type]})
    const properties = new NotedProperties(given.map(([name, value]) => ({name, value, place})))
    const redis = {connect}
    const options = {name: 'a', version: 'v1', properties, folder: t.testdir(), env: {}, redis, warn: () => undefined}
    const component = await (await load())(options).catch(() => undefined)
    await component?.close?.()
    const names = new Set(known.map(name => name.toLowerCase()))
    t.same(
      [...properties.names].filter(name => !names.has(name.toLowerCase())),
      [],
      type
    )
  }
})
