import t from 'tap'
import {COMMANDS} from '../../../../src/clients/cli/commands.ts'
import {COMMAND_GROUPS} from '../../../../src/clients/cli/groups.ts'
import {helpOf, overview} from '../../../../src/clients/cli/help.ts'
import {UserError} from '../../../../src/model/errors.ts'
import {readFilter} from '../../../../src/observe/telemetry/recorder/filter.ts'

const heads = (text: string): readonly string[] =>
  [...text.matchAll(/^ {2}(?: {4}|-\w, )--[\w-]+(?: \w+)?/gm)].map(([head]) => head)

t.test('with columns the flag lines of every command fit, and begin as they do without', async t => {
  for (const command of COMMANDS) {
    const [wide, narrow] = [helpOf('pillion', command), helpOf('pillion', command, 80)]
    t.same(
      narrow.split('\n').filter(line => line.length > 80 && !line.startsWith('  pillion')), // examples are to be copied
      [],
      command.name
    )
    t.same(heads(narrow).toSorted(), heads(wide).toSorted())
    for (const {text, isHidden} of command.flags)
      if (isHidden !== true) t.ok(narrow.replaceAll(/\s+/g, ' ').includes(text.replaceAll(/\s+/g, ' ')), text)
  }
})

t.test('with columns flags and commands stand in groups, each once; without in one list, as cobra has it', async t => {
  const run = COMMANDS.find(({name}) => name === 'run')
  if (run === undefined) throw new Error('no run')
  t.match(
    helpOf('pillion', run, 80),
    /\nWhich apps:\n {2}-f, --run-file string [^]*\nIts sidecar:\n[^]*\nKubernetes:\n[^]*\nOther Flags:\n/
  )
  t.match(
    helpOf('pillion', run),
    /\nFlags:\n {6}--allowed-origins strings [^]*\n {6}--app-channel-address string [^]*\nGlobal Flags:\n/
  )
  t.match(overview('pillion', COMMANDS, 80), /\nRun and stop:\n {2}up [^]*\nOther Commands:\n/)
  t.match(overview('pillion', COMMANDS), /\nAvailable Commands:\n {2}run /)
  t.same(
    overview('pillion', COMMANDS, 80)
      .split('\n')
      .filter(line => line.length > 80),
    []
  )
  for (const {name} of COMMANDS)
    t.equal([...overview('pillion', COMMANDS, 80).matchAll(new RegExp(`^ {2}${name} {2}`, 'gm'))].length, 1, name)
  t.same(
    COMMAND_GROUPS.flatMap(([, names]) => names).filter(name => COMMANDS.every(command => command.name !== name)),
    []
  )
  for (const {name, flags, groups = []} of COMMANDS) {
    const unknown = groups.flatMap(([, names]) => names).filter(name => flags.every(flag => flag.name !== name))
    t.same(unknown, [], name)
  }
})

/** How a filter that is wrong is explained. */
const explanationOf = (filter: string): string => {
  try {
    readFilter(filter)
  } catch (error) {
    if (error instanceof UserError) return error.explanation ?? ''
  }
  return ''
}

t.test('the help of calls and trace names every field and state of a filter', async t => {
  const fields = [
    ...explanationOf('nothing:1')
      .replace(/^Known: | – .*/g, '')
      .matchAll(/([a-z]+):(?= |$)/g)
  ].map(([, f = '']) => f)
  const states = [...explanationOf('is:nothing').matchAll(/is:([a-z]+)/g)].map(([, state = '']) => state)
  t.ok(fields.includes('span') && states.includes('waited'))
  for (const name of ['calls', 'trace']) {
    const notes = COMMANDS.find(each => each.name === name)?.notes ?? ''
    t.same(
      [...fields.filter(field => !notes.includes(`${field}:`)), ...states.filter(state => !notes.includes(state))],
      []
    )
    t.same(
      notes.split('\n').filter(line => line.length > 80),
      []
    )
  }
})
