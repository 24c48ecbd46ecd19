import t from 'tap'
import {COMMANDS} from '../../../src/cli/commands.ts'
import {helpOf} from '../../../src/cli/help.ts'

const heads = (text: string): readonly string[] =>
  [...text.matchAll(/^ {2}(?: {4}|-\w, )--[\w-]+(?: \w+)?/gm)].map(([head]) => head)

t.test('with columns the flag lines of every command fit, and begin as they do without', async t => {
  for (const command of COMMANDS) {
    const [wide = '', narrow = ''] = [helpOf('pillion', command), helpOf('pillion', command, 80)].map(
      text => text.split('\nFlags:\n')[1]
    )
    t.same(
      narrow.split('\n').filter(line => line.length > 80),
      [],
      command.name
    )
    t.same(heads(narrow), heads(wide))
    t.equal(narrow.replaceAll(/\s+/g, ' '), wide.replaceAll(/\s+/g, ' '))
  }
})
