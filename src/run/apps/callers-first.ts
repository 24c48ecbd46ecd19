/** Each app before those that it has called, as far as none of these has called it. */
export function callersFirst<A extends {readonly id: string}>(
  apps: readonly A[],
  calls: (caller: string, callee: string) => boolean
): readonly A[] {
  const order = new Set<A>()
  const visited = new Set<A>()
  const visit = (app: A): void => {
    if (visited.has(app)) return
    visited.add(app)
    for (const caller of apps) if (caller.id !== app.id && calls(caller.id, app.id)) visit(caller)
    order.add(app)
  }
  apps.forEach(visit)
  return [...order]
}
