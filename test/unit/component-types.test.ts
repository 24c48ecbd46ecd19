import t from 'tap'
import {componentTypes} from '../../scripts/ledger.ts'
import {componentType} from '../../src/dapr/components/block-types.ts'
import {isBuilt, isForDaprd} from '../../src/files/resources/component-support.ts'
import {splitType} from '../../src/files/resources/component-types.ts'
import {readComponents, type ComponentResource} from '../../src/files/resources/components.ts'
import {daprTypes} from '../../src/files/resources/dapr-types.ts'
import {parseResourceFile} from '../../src/files/resources/field.ts'

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
