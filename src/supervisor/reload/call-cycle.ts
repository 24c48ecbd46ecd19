/** Who calls whom just now: the callers of each app, by its id. */
export type CallersOf = ReadonlyMap<string, ReadonlySet<string>>

/**
 * Where a caller waits for an app that, over others or not, waits for this caller: who waits for whom, as the end of a
 * sentence. '' where nobody waits in a circle.
 */
export function describeCallCycle(caller: string, callee: string, callers: CallersOf): string {
  const path = pathBetween(callee, caller, callers)
  if (path === undefined) return ''
  const names = [...path, callee].map(id => `"${id}"`)
  return `; they wait for each other in a circle: ${names.join(' → ')}`
}

/** The shortest chain of calls from one app to another; one app alone is a chain. */
function pathBetween(from: string, to: string, callers: CallersOf): readonly string[] | undefined {
  const paths = new Map<string, readonly string[]>([[from, [from]]])
  for (const [id, path] of paths) {
    if (id === to) return path
    // what is added while it runs is gone through, too
    for (const [callee, by] of callers) if (by.has(id) && !paths.has(callee)) paths.set(callee, [...path, callee])
  }
  return undefined
}
