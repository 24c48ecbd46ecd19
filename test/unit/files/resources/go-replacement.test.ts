import t from 'tap'
import {compileReplacement} from '../../../../src/files/resources/metrics-settings.ts'

t.test("Go's regular expressions and what they become", async t => {
  const table: readonly (readonly [expression: string, template: string, text: string, result: string])[] = [
    ['/orders/.+', '/orders/X', '/orders/1', '/orders/X'],
    ['(?i)A(.)', '${1}-$1', 'abac', 'b-bc-c'],
    ['(?P<id>\\d+)', '<${id}>', 'a1b22', 'a<1>b<22>'],
    ['(?P<id>\\d+)', '$id_', 'a1', 'a'],
    ['a(b)?', '[$1$2]', 'a', '[]'],
    ['a', '$$1', 'a', '$1'],
    ['', '-', 'ab', '-a-b-'],
    ['x', 'y', 'ab', 'ab'],
    ['(a*)*b', 'y', 'a'.repeat(5000), 'a'.repeat(5000)]
  ]
  for (const [expression, template, text, result] of table)
    t.equal((await compileReplacement(expression, template))(text), result, expression)
})

t.test('what is no expression', async t => {
  await t.rejects(compileReplacement('(', ''), /missing closing/)
  await t.rejects(compileReplacement('(?=a)', ''), /error parsing regexp/)
})
