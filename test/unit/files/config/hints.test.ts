import t from 'tap'
import {load, orders} from './shop.ts'

/** Message, column of the caret, and what to write, of each warning. */
const warnings = (...lines: readonly string[]): readonly (readonly [string, number, string])[] =>
  load(t, orders(...lines), {files: {orders: {'my app': ''}}}).findings.map(
    ({message, place: {column}, hint, code}) => {
      t.equal(code, 'no-shell')
      return [message, column, hint]
    }
  )

t.test('an operator of a shell in a list is named, with the list that has one', async t => {
  const table: readonly (readonly [list: string, operator: string, column: number, hint: string])[] = [
    ['[echo, a, "|", cat]', '"|"', 24, '[sh, -c, "echo a | cat"]'],
    ['[cd, web, "&&", npm, start]', '"&&"', 24, '[sh, -c, "cd web && npm start"]'],
    ['[echo, "it\'s", ">", out.log]', '">"', 29, `[sh, -c, "echo 'it'\\\\''s' > out.log"]`],
    ['[a, ";", b]', '";"', 18, '[sh, -c, "a ; b"]'],
    ['[a, "&"]', '"&"', 18, '[sh, -c, "a &"]'],
    ['[a, "2>&1"]', '"2>&1"', 18, '[sh, -c, "a 2>&1"]'],
    ['[a, "2>/dev/null"]', '"2>/dev/null"', 18, '[sh, -c, "a 2>/dev/null"]'],
    ['[a, "<", in]', '"<"', 18, '[sh, -c, "a < in"]']
  ]
  for (const [list, operator, column, hint] of table) {
    const program = /\w+/.exec(list)?.[0] ?? ''
    t.strictSame(
      warnings(`command: ${list}`),
      [[`${operator} is an argument of ${program}: no shell reads this command`, column, `for a shell, write ${hint}`]],
      list
    )
  }
  t.match(warnings('ready: {command: [a, "&&", b]}'), [[/no shell/, 26, /sh, -c, "a && b"/]])
})

t.test('a whole command as one word, and a variable before it', async t => {
  t.strictSame(warnings('command: ["npm run dev"]'), [
    ['"npm run dev" is taken for the name of one program, with its blanks', 15, 'write ["npm", "run", "dev"]']
  ])
  t.match(warnings('command: ["a && b"]'), [[/one program/, 15, 'write [sh, -c, "a && b"]']])
  t.strictSame(warnings('command: [PORT=3000, node, app.mjs]'), [
    ['PORT=3000 is no program: no shell reads this command', 15, 'write env: {PORT: "3000"}']
  ])
})

t.test('what programs take as arguments is no mistake', async t => {
  const fine = [
    '[sh, -c, "a && b"]',
    '[find, ., -exec, rm, "{}", ";"]',
    '[/usr/bin/expr, "1", "|", "2"]',
    '[bash, -c, "$0 $1", "|"]',
    '[pip, install, x, ">=2"]',
    '[jq, ". | a"]',
    '[awk, "{print > 1}"]',
    '["./my app"]',
    '[node, app.mjs, A=b]',
    '[]'
  ]
  for (const list of fine) t.strictSame(warnings(`command: ${list}`), [], list)
})
