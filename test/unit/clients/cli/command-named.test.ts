import t from 'tap'
import {withVerb} from '../../../../src/clients/cli/command-named.ts'
import {COMMANDS} from '../../../../src/clients/cli/commands.ts'

t.test('a command and its verb are one word, whatever flags with values are between them', async t => {
  const table: readonly (readonly [string, readonly string[]])[] = [
    ['wf -a shop ls', ['workflow list', '-a', 'shop']],
    ['workflow -o json list', ['workflow list', '-o', 'json']],
    ['workflow -s FAILED ls -k', ['workflow list', '-s', 'FAILED', '-k']],
    ['jobs --output json -a shop get report', ['jobs get', '--output', 'json', '-a', 'shop', 'report']],
    ['sched --filter app list', ['scheduler list', '--filter', 'app']],
    ['copies -f list.yaml down --all', ['copies down', '-f', 'list.yaml', '--all']],
    ['--runtime-path jobs jobs ls', ['--runtime-path', 'jobs', 'jobs list']],
    // no verb: the value of a flag is none
    ['workflow --filter-name list', ['workflow', '--filter-name', 'list']],
    ['logs list', ['logs', 'list']]
  ]
  for (const [line, expected] of table) t.same(withVerb(line.split(' '), COMMANDS), expected, line)
})
