import t, {type Test} from 'tap'
import {goCases, READERS, verdictOf, type Answers, type Reader} from './go-cases.ts'

/** What a reader's row of answers is; of those that Go's recorded programs were not asked for, none. */
function compare(test: Test, name: Reader, atLeast: number): void {
  const cases = goCases().filter(each => each[name] !== undefined || READERS[name].isDialect)
  test.ok(cases.length >= atLeast)
  for (const each of cases) {
    const go: Answers = each[name] ?? each.template
    const ours = READERS[name].read(Buffer.from(each.bytes, 'latin1'))
    const expected = each.ours?.[name] ?? 'same'
    if (verdictOf(go, ours) !== expected) test.fail(`${each.name} is not ${expected}`, {document: each.bytes, go, ours})
  }
}

t.test('a template means what it means to Go, but for what the ledger lists', async t => {
  compare(t, 'template', 400)
  compare(t, 'run', 38)
})

t.test('a resource means what it means to Go, but for what the ledger lists', async t => {
  compare(t, 'resource', 400)
  compare(t, 'component', 39)
})

t.test('a compose file means what it means to Go, but for what the ledger lists', async t => {
  compare(t, 'compose', 400)
  compare(t, 'model', 11)
})
