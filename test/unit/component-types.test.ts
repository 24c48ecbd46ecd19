import t from 'tap'
import {componentTypes} from '../../scripts/ledger.ts'
import {isForDaprd} from '../../src/files/resources/component-support.ts'
import {isComponentType, splitType} from '../../src/files/resources/component-types.ts'
import {daprTypes} from '../../src/files/resources/dapr-types.ts'

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
    t.same([...here, ...byServer].toSorted(), kindsOf(isComponentType), `${category}: ours`)
    t.same(
      byDaprd.toSorted(),
      kindsOf(type => isForDaprd({type, isOfDapr: true}, 'needed')),
      `${category}: by daprd`
    )
    t.same(
      not.toSorted(),
      kindsOf(type => !isComponentType(type) && !isForDaprd({type, isOfDapr: true}, 'needed')),
      `${category}: not`
    )
  }
})
