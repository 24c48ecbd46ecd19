import t from 'tap'
import {grepOf} from '../../../../src/clients/cli/log-lines.ts'

t.test('lines that match are told', async t => {
  t.same(grepOf('[Ee]rror')(['an error', 'all well', 'Error']), [true, false, true])
  t.same(grepOf('g|h')([]), [])
})

t.test('a broken pattern is a wrong word, and one without end is stopped', async t => {
  t.throws(() => grepOf('('), {message: 'invalid argument "(" for "--grep" flag: /(/: Unterminated group'})
  const grep = grepOf('^(a+)+$')
  t.throws(() => grep([`${'a'.repeat(60)}!`]), {message: '--grep ^(a+)+$ takes too long'})
  t.same(grep(['aaa']), [true], 'and it can be asked again')
})
