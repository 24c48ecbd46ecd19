export type Group = readonly [title: string, names: readonly string[]]

/** A feature whose commands the short help shows only where it is used. */
export type CommandUse = 'copies' | 'dapr' | 'work' | 'daeploy'

interface CommandGroup {
  readonly title: string
  /** Commands that the short help shows. */
  readonly usual: readonly string[]
  /** Commands that only `help --all` shows. */
  readonly more?: readonly string[]
  /** When the help lists these commands. Default: always. */
  readonly use?: CommandUse
}

export const COMMAND_GROUPS: readonly CommandGroup[] = [
  {title: 'Run and stop', usual: ['up', 'down', 'start', 'stop', 'restart'], more: ['run']},
  {
    title: 'See what happens',
    usual: ['ps', 'logs', 'calls', 'trace', 'why', 'dashboard'],
    more: ['graph', 'ui', 'events', 'runs', 'list']
  },
  {
    title: 'Work with an app',
    usual: ['url', 'exec', 'debug', 'attach', 'fault', 'replay'],
    more: ['open', 'name', 'trust', 'env']
  },
  {title: 'Copies of the stack', usual: ['copies'], more: ['show'], use: 'copies'},
  {title: "Dapr's APIs", usual: ['invoke', 'publish'], use: 'dapr'},
  {
    title: 'Workflows, jobs and actors',
    usual: ['workflow', 'jobs', 'actors', 'skip'],
    more: ['reminders', 'scheduler'],
    use: 'work'
  },
  {title: 'Daeploy services', usual: ['ls', 'assign', 'notifications'], use: 'daeploy'},
  {title: 'Write and check a template', usual: ['import', 'validate', 'doctor'], more: ['export', 'schema']},
  {title: 'For scripts and coding agents', usual: ['wait', 'mcp'], more: ['agent']}
]

/** Maximum number of commands in the short help, and the commands to leave out first. */
const MAX_SHORT = 25
const RARE = ['attach', 'doctor', 'mcp', 'wait', 'exec', 'debug', 'restart']

/** Returns the groups of the short help, for a folder with these uses. */
export function shortGroups(uses: ReadonlySet<CommandUse>): readonly Group[] {
  const groups = COMMAND_GROUPS.filter(({use}) => use === undefined || uses.has(use))
  const tooMany = groups.flatMap(({usual}) => usual).length - MAX_SHORT
  const left = RARE.slice(0, Math.max(0, tooMany))
  return groups
    .map(({title, usual}) => [title, usual.filter(name => !left.includes(name))] as const)
    .filter(([, names]) => names.length > 0)
}

export const allGroups = (): readonly Group[] =>
  COMMAND_GROUPS.map(({title, usual, more = []}) => [title, [...usual, ...more]] as const)

export const membersOf = <T extends {readonly name: string}>(
  all: readonly T[],
  groups: readonly Group[]
): readonly (readonly [title: string, members: readonly T[]])[] =>
  groups.map(([title, names]) => [title, names.flatMap(name => all.filter(each => each.name === name))] as const)

/** Returns the groups with their members, and the other members as the last group, without a title. */
export function grouped<T extends {readonly name: string}>(
  all: readonly T[],
  groups: readonly Group[]
): readonly (readonly [title: string, members: readonly T[]])[] {
  const rest = all.filter(({name}) => groups.every(([, names]) => !names.includes(name)))
  return [...membersOf(all, groups), ['', rest] as const].filter(([, members]) => members.length > 0)
}
