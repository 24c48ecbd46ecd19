/** The current callers of each app, by its id. */
export type CallersOf = ReadonlyMap<string, ReadonlySet<string>>

/** Describes a cycle in which a caller waits for an app that waits, directly or indirectly, for this caller. The text ends an error; '' without a cycle. */
export function describeCallCycle(caller: string, callee: string, callers: CallersOf): string {
  const path = pathBetween(callee, caller, callers)
  if (path === undefined) return ''
  // by the app itself, or by a program at its sidecar, such as pillion invoke
  if (caller === callee) return '; the call came through its own sidecar'
  const names = [...path, callee].map(id => `"${id}"`)
  return `; the apps wait for each other: ${names.join(' → ')}`
}

/** The shortest chain of calls from one app to another; a single app is a chain, too. */
function pathBetween(from: string, to: string, callers: CallersOf): readonly string[] | undefined {
  const paths = new Map<string, readonly string[]>([[from, [from]]])
  for (const [id, path] of paths) {
    if (id === to) return path
    // the loop also covers paths that it adds
    for (const [callee, by] of callers) if (by.has(id) && !paths.has(callee)) paths.set(callee, [...path, callee])
  }
  return undefined
}
