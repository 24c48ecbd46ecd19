import t from 'tap'
import {grepOf} from '../../../../src/clients/cli/log-lines.ts'

t.test('a broken pattern is a wrong word', async t => {
  t.throws(() => grepOf('('), {message: 'invalid argument "(" for "--grep" flag: /(/: Unterminated group'})
})
