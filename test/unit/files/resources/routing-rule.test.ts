import t from 'tap'
import {compileRule} from '../../../../src/files/resources/routing-rule.ts'

/** Whether a rule fits; a text that says why it is none. */
async function fits(expression: string, event: Readonly<Record<string, unknown>>): Promise<boolean | string> {
  const rule = await compileRule(expression)
  return 'fits' in rule ? rule.fits(event) : rule.message
}

t.test('matches takes patterns of RE2, wherever it stands', async t => {
  const event = {type: 'order.v2', data: {tags: ['a1', 'b2'], pattern: '^b', note: null}}
  const rules: Readonly<Record<string, boolean>> = {
    'event.type.matches("^order")': true,
    'event.type.matches("v[3-9]$")': false,
    'matches(event.type, "^order[.]v\\\\d$")': true,
    'event.type.matches("(?i)ORDER") && !event.type.matches("x")': true,
    'event.type.matches("(?P<name>v)2") ? true : false': true,
    'event.data.tags.exists(tag, tag.matches(event.data.pattern))': true,
    'event.data.tags.all(tag, tag.matches("^b"))': false,
    'event.data.tags.filter(tag, tag.matches("2$")).size() == 1': true,
    '{"a": [event.type.matches("v2")]}["a"][0]': true,
    'event.type.matches("a(?=b)")': false, // no pattern of RE2
    'event.data.note.matches("x")': false
  }
  for (const [rule, expected] of Object.entries(rules)) t.equal(await fits(rule, event), expected, rule)
  t.match(await fits('event.type.matches("a", "b")', event), /does not compile/)
})

t.test('no pattern takes for ever', async t => {
  const text = 'a'.repeat(100_000)
  const event = {data: `${text}!`}
  t.equal(await fits('event.data.matches("(a+)+$")', event), false)
  t.equal(await fits('matches(event.data, "^(a|aa)+$")', event), false)
  t.equal(await fits('event.data.matches("^(([a-z])+.)+[A-Z]([a-z])+$")', event), false)
})
