import t from 'tap'
import {maskedTemplate} from '../../../../src/observe/api/template.ts'
import {Masking} from '../../../../src/observe/telemetry/recorder/masking.ts'

const masked = (text: string): string => maskedTemplate(text, new Masking())

t.test('a value with a secret name is masked, and lines stay where they are', async t => {
  const text = 'env:\n  API_TOKEN: abcdef\n  KEY: |\n    one\n    two\n  URL: amqp://me:secret@mq\n  MODE: test # a\n'
  t.equal(
    masked(text),
    'env:\n  API_TOKEN: <masked, 6 characters>\n  KEY: <masked, 17 characters>\n\n\n  URL: amqp://me:<masked, 6 characters>@mq\n  MODE: test # a\n'
  )
})

t.test('a secret is masked wherever YAML lets it be written', async t => {
  const places = {
    'behind an alias': 'x: &pw hunter2\nenv: {DB_PASSWORD: *pw}\n',
    'in a list': 'API_KEYS:\n  - hunter2\n',
    'in a list, behind an alias': 'x: &pw hunter2\nAPI_KEYS: [*pw]\n',
    'in a list behind an alias': 'x: &pw [a, [hunter2]]\nenv: {API_KEYS: *pw}\n',
    'in another document': 'a: 1\n---\nenv: {DB_PASSWORD: hunter2}\n',
    'behind the end of a document': 'a: 1\n...\nDB_PASSWORD: hunter2\n',
    'in a comment': 'env:\n  # DB_PASSWORD: hunter2\n',
    'in a file that is being written': 'env:\n  NOTE: "one\n  DB_PASSWORD: hunter2\n'
  }
  for (const [where, text] of Object.entries(places)) {
    t.notMatch(masked(text), 'hunter2', where)
    t.equal(masked(text).split('\n').length, text.split('\n').length, where)
  }
  t.equal(
    masked('x: &pw hunter2\nenv: {DB_PASSWORD: *pw}\n'),
    'x: &pw <masked, 7 characters>\nenv: {DB_PASSWORD: *pw}\n'
  )
})

t.test('passwords in texts are masked, and what a secret variable is where it is not set', async t => {
  const texts: readonly (readonly [text: string, masked: string])[] = [
    ['DSN: "host=db password=hunter2 user=me"', 'DSN: "host=db password=<masked, 7 characters> user=me"'],
    ['A: Server=db;Pwd=hunter2;Database=x', 'A: Server=db;Pwd=<masked, 7 characters>;Database=x'],
    ['command: [psql, "--password=hunter2"]', 'command: [psql, "--password=<masked, 7 characters>"]'],
    ['A: ${API_TOKEN:-hunter2}${MODE:-test}', 'A: ${API_TOKEN:-<masked, 7 characters>}${MODE:-test}'],
    ['A: password=$PASSWORD', 'A: password=$PASSWORD'],
    ['A: --password=hun$ter<2', 'A: --password=<masked, 9 characters>'],
    ['# PASSWORD: hunter2 password=hun', '# PASSWORD: <masked, 20 characters>']
  ]
  for (const [text, wanted] of texts) t.equal(masked(text), wanted)
})

t.test('what has no secret name stays as it is', async t => {
  const text =
    '# the shop: all of it\nversion: 1\ncommon: &c {env: {MODE: "a\n  b"}}\napps:\n  - {<<: *c, appID: shop}\n'
  t.equal(masked(text), text)
})

t.test('a list of secrets may be of any length', async t => {
  const text = `API_KEYS: [${'a,'.repeat(130_000)}]\n`
  t.match(masked(text), /^API_KEYS: \[<masked, 1 characters>,(?:<masked, 1 characters>,){129999}\]\n$/)
})
