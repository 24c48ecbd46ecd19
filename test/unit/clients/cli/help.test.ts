import t from 'tap'
import {COMMANDS} from '../../../../src/clients/cli/commands.ts'
import {andVerbs} from '../../../../src/clients/cli/entries/command-entry.ts'
import {COMMAND_GROUPS, shortGroups} from '../../../../src/clients/cli/groups.ts'
import {helpOf, overview, usageText} from '../../../../src/clients/cli/help.ts'
import {UserError} from '../../../../src/model/errors.ts'
import {readFilter} from '../../../../src/observe/telemetry/recorder/filter.ts'

const heads = (text: string): readonly string[] =>
  [...text.matchAll(/^ {2}(?: {4}|-\w, )--[\w-]+(?: \w+)?/gm)].map(([head]) => head)

/** All commands, with those below them. */
const ALL = andVerbs(COMMANDS)

t.test('the help of every command fits into 80 columns, names every flag, and begins with a sentence', async t => {
  for (const command of ALL) {
    const [cobra, help] = [usageText('pillion', command), helpOf('pillion', command)]
    const tooLong = help.split('\n').filter(line => line.length > 80)
    t.same(tooLong, [], command.name)
    t.match(help, /^[A-Z][^\n]*(?:\n[^\n]+)?\.\n\nUsage:/, command.name)
    t.same(heads(help).toSorted(), heads(cobra).toSorted())
    for (const {text, isHidden} of command.flags)
      if (isHidden !== true) t.ok(help.replaceAll(/\s+/g, ' ').includes(text.replaceAll(/\s+/g, ' ')), text)
  }
})

const namesIn = (text: string): readonly string[] =>
  [...text.matchAll(/^ {2}([\w-]+) {2,}\w/gm)].map(([, name = '']) => name)

t.test('flags and commands stand in groups, each once; usage after a mistake has one list, as in cobra', async t => {
  const run = COMMANDS.find(({name}) => name === 'run')
  if (run === undefined) throw new Error('no run')
  t.match(
    helpOf('pillion', run),
    /\nWhich apps:\n {2}-f, --run-file string [^]*\nIts sidecar:\n[^]*\nKubernetes:\n[^]*\nOther Flags:\n/
  )
  t.match(
    usageText('pillion', run),
    /\nFlags:\n {6}--allowed-origins strings [^]*\n {6}--app-channel-address string [^]*\nGlobal Flags:\n/
  )
  const all = overview('pillion', COMMANDS)
  t.match(all, /^Run all your services with one command\.\n[^]*\nRun and stop:\n {2}up [^]*\nOther commands:\n/)
  t.same(
    all.split('\n').filter(line => line.length > 80),
    []
  )
  t.same(namesIn(all).toSorted(), COMMANDS.map(({name}) => name).toSorted())
  const grouped = COMMAND_GROUPS.flatMap(({usual, more = []}) => [...usual, ...more])
  t.same(
    grouped.filter(name => COMMANDS.every(command => command.name !== name)),
    []
  )
  for (const {name, flags, groups = []} of COMMANDS) {
    const unknown = groups.flatMap(([, names]) => names).filter(name => flags.every(flag => flag.name !== name))
    t.same(unknown, [], name)
  }
})

t.test('the short help has at most 25 commands, a line for each, whatever a folder uses', async t => {
  const uses = ['copies', 'dapr', 'work', 'daeploy'] as const
  for (let which = 0; which < 1 << uses.length; which++) {
    const used = new Set(uses.filter((_, at) => (which & (1 << at)) !== 0))
    const text = overview('pillion', COMMANDS, {groups: shortGroups(used), hasTemplate: which > 0})
    const names = namesIn(text)
    t.ok(names.length <= 25, names.join(' '))
    t.ok(['up', 'down', 'ps', 'logs', 'trace', 'import'].every(name => names.includes(name)))
    t.equal(names.includes('jobs'), used.has('work'))
    t.equal(names.includes('assign'), used.has('daeploy'))
    t.same(
      text.split('\n').filter(line => line.length > 80 || /^ {6}/.test(line)),
      []
    )
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
