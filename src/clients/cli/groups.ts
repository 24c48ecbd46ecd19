/** Names under a title. */
export type Group = readonly [title: string, names: readonly string[]]

/** How the overview groups the commands on a terminal. */
export const COMMAND_GROUPS: readonly Group[] = [
  ['Run and stop', ['up', 'down', 'run', 'stop']],
  ['Look', ['ps', 'list', 'copies', 'logs', 'calls', 'trace', 'why', 'runs', 'graph', 'actors', 'ui', 'dashboard']],
  ['Work with one app', ['start', 'restart', 'debug', 'attach', 'url', 'open', 'env', 'exec', 'fault']],
  ['Call and schedule', ['invoke', 'publish', 'replay', 'workflow', 'jobs', 'scheduler', 'reminders', 'skip']],
  ['Write and check a template', ['import', 'validate', 'export', 'schema', 'doctor']],
  ['For scripts and coding agents', ['wait', 'events', 'mcp']],
  ['Daeploy services', ['ls', 'assign', 'notifications']]
]

/** The groups with their members, and what is in none of them as the last, without a title. */
export function grouped<T extends {readonly name: string}>(
  all: readonly T[],
  groups: readonly Group[]
): readonly (readonly [title: string, members: readonly T[]])[] {
  const parts = groups.map(
    ([title, names]) => [title, names.flatMap(name => all.filter(each => each.name === name))] as const
  )
  const rest = all.filter(({name}) => groups.every(([, names]) => !names.includes(name)))
  return [...parts, ['', rest] as const].filter(([, members]) => members.length > 0)
}
