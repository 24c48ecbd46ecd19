import t, {type Test} from 'tap'
import {answersOf, DIALECTS, goCases, type Answers} from './go-cases.ts'

const verdictOf = (go: Answers, ours: Answers): string => {
  if (go.join('\n') === ours.join('\n')) return 'same'
  if (go.includes('!') && !ours.includes('!')) return 'takes'
  return ours.includes('!') && !go.includes('!') ? 'refuses' : 'differs'
}

function compare(test: Test, kind: keyof typeof DIALECTS): void {
  const cases = goCases()
  test.ok(cases.length >= 400)
  for (const each of cases) {
    const go = each[kind] ?? each.template
    const ours = answersOf(Buffer.from(each.bytes, 'latin1'), DIALECTS[kind])
    const expected = each.ours?.[kind] ?? 'same'
    if (verdictOf(go, ours) !== expected) test.fail(`${each.name} is not ${expected}`, {document: each.bytes, go, ours})
  }
}

t.test('a template means what it means to Go, but for what the ledger lists', async t => compare(t, 'template'))

t.test('a resource means what it means to Go, but for what the ledger lists', async t => compare(t, 'resource'))

t.test('a compose file means what it means to Go, but for what the ledger lists', async t => compare(t, 'compose'))
