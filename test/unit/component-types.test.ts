import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {isForDaprd} from '../../src/files/resources/component-support.ts'
import {isComponentType, splitType} from '../../src/files/resources/component-types.ts'
import {daprTypes} from '../../src/files/resources/dapr-types.ts'

const LEDGER = readFileSync(join(import.meta.dirname, '../../docs/compatibility.md'), 'utf8')

/** The table's rows: a category, and the kinds in each column. */
const rows = new Map(
  LEDGER.split('\n')
    .filter(line => /^`[a-z]+` \|/.test(line))
    .map(line => {
      const [category = '', ...columns] = line
        .split('|')
        .map(cell => [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word))
      return [category[0] ?? '', columns] as const
    })
)

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
